#include "engine/backend/reference/spatial.h"

#include <algorithm>

#include "engine/core/check.h"

namespace lazynet::backend::reference {
namespace {

int64_t CeilDivide(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : a / b; }

// The i in [0, count) with 0 <= i * stride + offset < extent.
Range StepsInside(int64_t count, int64_t stride, int64_t offset, int64_t extent) {
  const int64_t begin = std::clamp<int64_t>(CeilDivide(-offset, stride), 0, count);
  const int64_t end = std::clamp<int64_t>(CeilDivide(extent - offset, stride), begin, count);
  return {begin, end};
}

}  // namespace

Axes SpatialAxes(std::span<const int64_t> numbers, int64_t fill) {
  LAZYNET_CHECK(numbers.size() <= 3);
  Axes axes = {fill, fill, fill};
  std::copy_backward(numbers.begin(), numbers.end(), axes.end());
  return axes;
}

Axes SpatialSizes(const Shape& shape) { return SpatialAxes(shape.dims().subspan(2), 1); }

std::array<std::vector<Stride>, 3> SlideKernel(const Axes& kernel, const Axes& strides,
                                               const Axes& dilations, const Axes& padding,
                                               const Axes& steps, const Axes& other) {
  std::array<std::vector<Stride>, 3> taps;
  for (size_t axis = 0; axis < 3; ++axis) {
    for (int64_t tap = 0; tap < kernel[axis]; ++tap) {
      const int64_t offset = tap * dilations[axis] - padding[axis];
      taps[axis].push_back(
          {strides[axis], offset, StepsInside(steps[axis], strides[axis], offset, other[axis])});
    }
  }
  return taps;
}

}  // namespace lazynet::backend::reference
