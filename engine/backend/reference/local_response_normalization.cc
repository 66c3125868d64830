#include <algorithm>
#include <cmath>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {

template <typename T>
Computation<T> MakeComputation(const LocalResponseNormalization& op, const OpShapes& shapes) {
  const int64_t images = shapes.dst.dim(0);
  const int64_t channels = shapes.dst.dim(1);
  const int64_t plane = Product(shapes.dst, 2, shapes.dst.rank());
  const auto run = [=](const Operands<T>& operands) {
    for (int64_t n = 0; n < images; ++n) {
      const T* src = operands.src(0) + n * channels * plane;
      T* dst = operands.dst() + n * channels * plane;
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t first = std::max<int64_t>(c - op.size / 2, 0);
        const int64_t last = std::min<int64_t>(c + (op.size - 1) / 2, channels - 1);
        for (int64_t i = 0; i < plane; ++i) {
          double sum = 0;
          for (int64_t at = first; at <= last; ++at) {
            const double x = src[at * plane + i];
            sum += x * x;
          }
          const double base = op.k + op.alpha / static_cast<double>(op.size) * sum;
          dst[c * plane + i] = static_cast<T>(src[c * plane + i] / std::pow(base, op.beta));
        }
      }
    }
  };
  return {.run = run};
}

LAZYNET_REFERENCE_COMPUTATION(LocalResponseNormalization);

}  // namespace lazynet::backend::reference
