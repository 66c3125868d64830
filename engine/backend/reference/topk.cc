#include <algorithm>
#include <span>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

// NaN counts as larger than all others.
template <typename T>
bool IsLess(T a, T b) {
  return b != b ? a == a : a < b;
}

// Puts the indices of the first `count` elements of the order to the front of `order`.
template <typename T>
void Order(const T* src, int64_t stride, bool largest, std::span<int64_t> order, int64_t count) {
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  // By index where elements are equal: there is one order, whatever the algorithm.
  const auto before = [=](int64_t i, int64_t j) {
    const T a = src[i * stride];
    const T b = src[j * stride];
    if (IsLess(a, b)) return !largest;
    if (IsLess(b, a)) return largest;
    return i < j;
  };
  // A heap is for few of many.
  if (count < static_cast<int64_t>(order.size()) / 8) {
    std::partial_sort(order.begin(), order.begin() + count, order.end(), before);
  } else {
    std::sort(order.begin(), order.end(), before);
  }
}

// dst holds what pick(element, index) gives.
template <typename T, typename Dst, typename Pick>
AnyRun TakeEach(const TopK& kind, const Shape& src_shape, int64_t count, const Pick& pick) {
  const AroundAxis around(src_shape, kind.axis);
  AnyRun run = [=, largest = kind.largest](const AnyOperands& operands) {
    const auto [outer, size, inner] = around;
    static_assert(sizeof(int64_t) == sizeof(double));
    const std::span<int64_t> order(reinterpret_cast<int64_t*>(operands.scratch()),
                                   static_cast<size_t>(size));
    const T* src = operands.src<T>(0);
    Dst* dst = operands.dst<Dst>();
    for (int64_t i = 0; i < outer; ++i, src += size * inner, dst += count * inner) {
      for (int64_t j = 0; j < inner; ++j) {
        Order(src + j, inner, largest, order, count);
        for (int64_t k = 0; k < count; ++k) {
          const int64_t index = order[static_cast<size_t>(k)];
          dst[k * inner + j] = pick(src[index * inner + j], index);
        }
      }
    }
    return absl::OkStatus();
  };
  run.scratch = static_cast<size_t>(around.size);
  return run;
}

template <typename T>
AnyRun Take(const TopK& kind, const Shape& src, int64_t count) {
  if (kind.output == TopK::Output::kIndices) {
    return TakeEach<T, int64_t>(kind, src, count, [](T, int64_t index) { return index; });
  }
  return TakeEach<T, T>(kind, src, count, [](T element, int64_t) { return element; });
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const TopK& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const Value& dst = graph.value(op.output);
  const int64_t count = dst.shape.dim(kind.axis);
  if (dst.dtype == (kind.output == TopK::Output::kIndices ? DType::kInt64 : src.dtype)) {
    if (src.dtype == DType::kFp32) return Take<float>(kind, src.shape, count);
    if (src.dtype == DType::kFp64) return Take<double>(kind, src.shape, count);
    if (src.dtype == DType::kInt64) return Take<int64_t>(kind, src.shape, count);
  }
  return Unimplemented("topk of {} to {}", Name(src.dtype), Name(dst.dtype));
}

}  // namespace lazynet::backend::reference
