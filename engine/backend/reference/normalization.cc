#include <cmath>

#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/moments.h"

namespace lazynet::backend::reference {
namespace {

// How many groups of channels an item has, each with its own statistics; 0 where items share them.
int64_t GroupsPerItem(const Normalization& op, int64_t channels) {
  switch (op.statistics) {
    case Normalization::Statistics::kPerInstance:
      return channels;
    case Normalization::Statistics::kPerGroup:
      return op.groups;
    case Normalization::Statistics::kGiven:
    case Normalization::Statistics::kPerBatch:
      return 0;
  }
  LAZYNET_CHECK(false);
  return 0;
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Normalization& op, const OpShapes& shapes) {
  const int64_t batch = shapes.dst.dim(0);
  const int64_t channels = shapes.dst.dim(1);
  const int64_t plane_size = Product(shapes.dst, 2, shapes.dst.rank());
  const int64_t image_size = channels * plane_size;
  const int64_t groups = GroupsPerItem(op, channels);
  const auto run = [=](const Operands<T>& operands) {
    const T* src = operands.src(0);
    T* dst = operands.dst();
    const auto normalize_plane = [&](int64_t n, int64_t c, const Moments& moments) {
      const T* scales = operands.src(3);
      const T* shifts = operands.src(4);
      const double scale =
          (scales != nullptr ? scales[c] : 1) / std::sqrt(moments.variance + op.eps);
      const double shift = shifts != nullptr ? shifts[c] : 0;
      const int64_t begin = n * image_size + c * plane_size;
      for (int64_t i = begin; i < begin + plane_size; ++i) {
        dst[i] = static_cast<T>((src[i] - moments.mean) * scale + shift);
      }
    };
    if (groups > 0) {
      const int64_t group_channels = channels / groups;
      for (int64_t n = 0; n < batch; ++n) {
        for (int64_t first = 0; first < channels; first += group_channels) {
          const Moments moments =
              MomentsOf(src + n * image_size + first * plane_size, group_channels * plane_size);
          for (int64_t c = first; c < first + group_channels; ++c) normalize_plane(n, c, moments);
        }
      }
      return;
    }
    for (int64_t c = 0; c < channels; ++c) {
      const Moments moments = op.statistics == Normalization::Statistics::kGiven
                                  ? Moments{operands.src(1)[c], operands.src(2)[c]}
                                  : MomentsOf(src + c * plane_size, batch, image_size, plane_size);
      for (int64_t n = 0; n < batch; ++n) normalize_plane(n, c, moments);
    }
  };
  return {.run = run, .in_place = true};  // moments are taken before their elements are written
}

LAZYNET_REFERENCE_COMPUTATION(Normalization);

}  // namespace lazynet::backend::reference
