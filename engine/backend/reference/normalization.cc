#include <cmath>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

struct Moments {
  double mean = 0;
  double variance = 0;
};

// Of the elements of `planes` planes that begin `stride` apart; the variance is biased.
template <typename T>
Moments MomentsOf(const T* src, int64_t planes, int64_t stride, int64_t plane_size) {
  const double count = static_cast<double>(planes * plane_size);
  Moments moments;
  for (int64_t n = 0; n < planes; ++n) {
    const T* plane = src + n * stride;
    for (int64_t i = 0; i < plane_size; ++i) moments.mean += plane[i];
  }
  moments.mean /= count;
  for (int64_t n = 0; n < planes; ++n) {
    const T* plane = src + n * stride;
    for (int64_t i = 0; i < plane_size; ++i) {
      const double deviation = plane[i] - moments.mean;
      moments.variance += deviation * deviation;
    }
  }
  moments.variance /= count;
  return moments;
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Normalization& op, const OpShapes& shapes) {
  const int64_t batch = shapes.dst.dim(0);
  const int64_t channels = shapes.dst.dim(1);
  const int64_t plane_size = Product(shapes.dst, 2, shapes.dst.rank());
  const int64_t image_size = channels * plane_size;
  const auto run = [=](const Operands<T>& operands) {
    const T* means = operands.src(1);
    const T* variances = operands.src(2);
    const T* scales = operands.src(3);
    const T* shifts = operands.src(4);
    for (int64_t c = 0; c < channels; ++c) {
      const T* src = operands.src(0) + c * plane_size;
      T* dst = operands.dst() + c * plane_size;
      Moments moments;
      if (op.statistics == Normalization::Statistics::kGiven) {
        moments = {means[c], variances[c]};
      } else if (op.statistics == Normalization::Statistics::kPerBatch) {
        moments = MomentsOf(src, batch, image_size, plane_size);
      }
      for (int64_t n = 0; n < batch; ++n, src += image_size, dst += image_size) {
        if (op.statistics == Normalization::Statistics::kPerInstance) {
          moments = MomentsOf(src, 1, image_size, plane_size);
        }
        const double scale =
            (scales != nullptr ? scales[c] : 1) / std::sqrt(moments.variance + op.eps);
        const double shift = shifts != nullptr ? shifts[c] : 0;
        for (int64_t i = 0; i < plane_size; ++i) {
          dst[i] = static_cast<T>((src[i] - moments.mean) * scale + shift);
        }
      }
    }
  };
  return {.run = run, .in_place = true};  // moments are taken before their elements are written
}

LAZYNET_REFERENCE_COMPUTATION(Normalization);

}  // namespace lazynet::backend::reference
