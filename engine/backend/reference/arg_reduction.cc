#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

// Whether `x` takes the place of `best`, which stands before it.
template <typename T>
bool Beats(T x, T best, bool largest) {
  if (best != best) return false;
  return x != x || (largest ? x > best : x < best);
}

template <typename T>
AnyRun FindEach(const ArgReduction& kind, const Shape& src_shape) {
  const AroundAxis around(src_shape, kind.axis);
  const bool largest = kind.algorithm == ArgReduction::Algorithm::kMax;
  return [=](const AnyOperands& operands) {
    const auto [outer, size, inner] = around;
    const T* src = operands.src<T>(0);
    auto* dst = operands.dst<int64_t>();
    for (int64_t i = 0; i < outer; ++i, src += size * inner) {
      for (int64_t j = 0; j < inner; ++j) {
        int64_t best = 0;
        for (int64_t k = 1; k < size; ++k) {
          if (Beats(src[k * inner + j], src[best * inner + j], largest)) best = k;
        }
        *dst++ = best;
      }
    }
    return absl::OkStatus();
  };
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const ArgReduction& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  if (graph.value(op.output).dtype == DType::kInt64) {
    if (src.dtype == DType::kFp32) return FindEach<float>(kind, src.shape);
    if (src.dtype == DType::kFp64) return FindEach<double>(kind, src.shape);
    if (src.dtype == DType::kInt64) return FindEach<int64_t>(kind, src.shape);
  }
  return Unimplemented("arg_reduction of {}", Name(src.dtype));
}

}  // namespace lazynet::backend::reference
