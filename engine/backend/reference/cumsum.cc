#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

// Sums are of type Sum: wider than T, or an integer that wraps.
template <typename T, typename Sum>
AnyRun AddUp(const Cumsum& kind, const Shape& shape) {
  const AroundAxis around(shape, kind.axis);
  AnyRun run = [=](const AnyOperands& operands) {
    const auto [outer, size, inner] = around;
    const T* src = operands.src<T>(0);
    T* dst = operands.dst<T>();
    for (int64_t i = 0; i < outer; ++i, src += size * inner, dst += size * inner) {
      for (int64_t j = 0; j < inner; ++j) {
        Sum sum = 0;
        for (int64_t k = j; k < size * inner; k += inner) {
          sum += static_cast<Sum>(src[k]);
          dst[k] = static_cast<T>(sum);
        }
      }
    }
    return absl::OkStatus();
  };
  run.in_place = true;
  return run;
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const Cumsum& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  if (src.dtype == graph.value(op.output).dtype) {
    if (src.dtype == DType::kFp32) return AddUp<float, double>(kind, src.shape);
    if (src.dtype == DType::kFp64) return AddUp<double, double>(kind, src.shape);
    if (src.dtype == DType::kInt64) return AddUp<int64_t, uint64_t>(kind, src.shape);
  }
  return Unimplemented("cumsum of {}", Name(src.dtype));
}

}  // namespace lazynet::backend::reference
