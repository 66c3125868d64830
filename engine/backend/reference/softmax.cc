#include <algorithm>
#include <cmath>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

// One row of `size` elements, `stride` apart. NaN comes through the sum to all of the row; so does
// what has no answer: infinity, and nothing but -infinity.
template <typename T>
void SoftmaxRow(const T* src, T* dst, int64_t size, int64_t stride, bool log) {
  double maximum = src[0];
  for (int64_t i = 1; i < size; ++i) maximum = std::max<double>(maximum, src[i * stride]);
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += std::exp(src[i * stride] - maximum);
  const double log_sum = std::log(sum);
  for (int64_t i = 0; i < size; ++i) {
    const double shifted = src[i * stride] - maximum;
    dst[i * stride] = static_cast<T>(log ? shifted - log_sum : std::exp(shifted) / sum);
  }
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Softmax& op, const OpShapes& shapes) {
  const auto run = [=, around = AroundAxis(shapes.dst, op.axis)](const Operands<T>& operands) {
    const auto [outer, size, inner] = around;
    for (int64_t i = 0; i < outer; ++i) {
      const T* src = operands.src(0) + i * size * inner;
      T* dst = operands.dst() + i * size * inner;
      for (int64_t j = 0; j < inner; ++j) SoftmaxRow(src + j, dst + j, size, inner, op.log);
    }
  };
  return {.run = run, .in_place = true};
}

LAZYNET_REFERENCE_COMPUTATION(Softmax);

}  // namespace lazynet::backend::reference
