#include <cmath>

#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/moments.h"

namespace lazynet::backend::reference {
namespace {

template <typename T>
double MeanSquare(const T* src, int64_t size) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(src[i]) * src[i];
  return sum / static_cast<double>(size);
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const LayerNormalization& op, const OpShapes& shapes) {
  const int64_t rows = shapes.dst.dim(0);
  const int64_t size = shapes.dst.dim(1);
  const auto run = [=](const Operands<T>& operands) {
    const T* scales = operands.src(1);
    const T* shifts = operands.src(2);
    const T* src = operands.src(0);
    T* dst = operands.dst();
    for (int64_t m = 0; m < rows; ++m, src += size, dst += size) {
      const Moments moments = op.rms ? Moments{0, MeanSquare(src, size)} : MomentsOf(src, size);
      const double factor = 1 / std::sqrt(moments.variance + op.eps);
      for (int64_t k = 0; k < size; ++k) {
        const double scale = scales != nullptr ? scales[k] : 1;
        const double shift = shifts != nullptr ? shifts[k] : 0;
        dst[k] = static_cast<T>((src[k] - moments.mean) * factor * scale + shift);
      }
    }
  };
  return {.run = run, .in_place = true};  // moments are taken before their row is written
}

LAZYNET_REFERENCE_COMPUTATION(LayerNormalization);

}  // namespace lazynet::backend::reference
