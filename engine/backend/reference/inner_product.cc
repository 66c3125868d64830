#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {

template <typename T>
Computation<T> MakeComputation(const InnerProduct&, const OpShapes& shapes) {
  const int64_t rows = shapes.srcs[0].dim(0);
  const int64_t inputs = shapes.srcs[0].dim(1);
  const int64_t outputs = shapes.srcs[1].dim(0);
  const auto run = [=](const Operands<T>& operands) {
    const T* weights = operands.src(1);
    const T* bias = operands.src(2);
    for (int64_t m = 0; m < rows; ++m) {
      const T* src_row = operands.src(0) + m * inputs;
      T* dst_row = operands.dst() + m * outputs;
      for (int64_t n = 0; n < outputs; ++n) {
        const T* weights_row = weights + n * inputs;
        double sum = bias != nullptr ? bias[n] : 0;
        for (int64_t k = 0; k < inputs; ++k)
          sum += static_cast<double>(src_row[k]) * weights_row[k];
        dst_row[n] = static_cast<T>(sum);
      }
    }
  };
  return {.run = run};
}

LAZYNET_REFERENCE_COMPUTATION(InnerProduct);

}  // namespace lazynet::backend::reference
