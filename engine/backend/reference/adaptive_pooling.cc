#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/spatial.h"

namespace lazynet::backend::reference {
namespace {

// dst = reduce(plane, sizes, depth, height, width) of each bin.
template <typename T, typename Reduce>
Computation<T> PoolBins(const OpShapes& shapes, Reduce reduce) {
  const Axes src_sizes = SpatialSizes(shapes.srcs[0]);
  const Axes dst_sizes = SpatialSizes(shapes.dst);
  AxisWindows bins;
  for (size_t axis = 0; axis < 3; ++axis) {
    const int64_t size = src_sizes[axis];
    const int64_t count = dst_sizes[axis];
    for (int64_t i = 0; i < count; ++i) {
      const int64_t begin = i * size / count;
      const int64_t end = ((i + 1) * size + count - 1) / count;
      bins[axis].push_back({.first = begin, .count = end - begin, .divisor = end - begin});
    }
  }
  const int64_t planes = Product(shapes.dst, 0, 2);
  const int64_t src_plane = Volume(src_sizes);
  const int64_t dst_plane = Volume(dst_sizes);
  const auto run = [=](const Operands<T>& operands) {
    for (int64_t i = 0; i < planes; ++i) {
      ReduceWindows(
          operands.src(0) + i * src_plane, bins, operands.dst() + i * dst_plane,
          [&](const T* plane, const Window& depth, const Window& height, const Window& width) {
            return reduce(plane, src_sizes, depth, height, width);
          });
    }
  };
  return {.run = run};
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const AdaptiveAveragePooling&, const OpShapes& shapes) {
  return PoolBins<T>(shapes, Average<T>);
}

template <typename T>
Computation<T> MakeComputation(const AdaptiveMaxPooling&, const OpShapes& shapes) {
  return PoolBins<T>(shapes, Maximum<T>);
}

LAZYNET_REFERENCE_COMPUTATION(AdaptiveAveragePooling);
LAZYNET_REFERENCE_COMPUTATION(AdaptiveMaxPooling);

}  // namespace lazynet::backend::reference
