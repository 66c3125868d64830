#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {

template <typename T>
Computation<T> MakeComputation(const Prelu&, const OpShapes& shapes) {
  // One slope for all is one channel that holds everything.
  const int64_t channels = shapes.srcs[1].num_elements();
  const int64_t batch = channels == 1 ? 1 : shapes.dst.dim(0);
  const int64_t plane_size = shapes.dst.num_elements() / (batch * channels);
  const auto run = [=](const Operands<T>& operands) {
    const T* src = operands.src(0);
    const T* slopes = operands.src(1);
    T* dst = operands.dst();
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t c = 0; c < channels; ++c, src += plane_size, dst += plane_size) {
        const T slope = slopes[c];
        for (int64_t i = 0; i < plane_size; ++i) dst[i] = src[i] > 0 ? src[i] : slope * src[i];
      }
    }
  };
  return {.run = run, .in_place = true};
}

LAZYNET_REFERENCE_COMPUTATION(Prelu);

}  // namespace lazynet::backend::reference
