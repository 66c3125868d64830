#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/core/shape.h"

namespace lazynet::backend::reference {

// Depth, height, width. One or two spatial axes are the last ones; those in front are of size 1, so
// that one loop nest serves all.
using Axes = std::array<int64_t, 3>;

// One number per spatial axis (at most three); `fill` stands for the axes that are not there.
Axes SpatialAxes(std::span<const int64_t> numbers, int64_t fill);

// The spatial sizes of [N, C, spatial...] or [O, C, kernel...].
Axes SpatialSizes(const Shape& shape);

inline int64_t Volume(const Axes& sizes) { return sizes[0] * sizes[1] * sizes[2]; }

struct Range {
  int64_t begin;
  int64_t end;
};

// A kernel sliding over an axis pairs index i of the axis it steps along (convolution: dst,
// deconvolution: src) with index i * stride + tap * dilation - padding of the other.
struct Stride {
  int64_t stride;
  int64_t offset;  // tap * dilation - padding
  Range steps;     // the i whose partner is inside the other axis
};

// Of each axis, the Stride of each tap.
std::array<std::vector<Stride>, 3> SlideKernel(const Axes& kernel, const Axes& strides,
                                               const Axes& dilations, const Axes& padding,
                                               const Axes& steps, const Axes& other);

// What a pooling window takes from its axis: `count` elements from `first` on, `dilation` apart.
struct Window {
  int64_t first = 0;
  int64_t count = 0;
  int64_t dilation = 1;
  int64_t divisor = 1;  // the product over the axes is what an average divides by
};
using AxisWindows = std::array<std::vector<Window>, 3>;

// Calls visit(element) for each element of a window.
template <typename T, typename Visit>
void VisitWindow(const T* plane, const Axes& sizes, const Window& depth, const Window& height,
                 const Window& width, Visit visit) {
  for (int64_t d = 0; d < depth.count; ++d) {
    const T* slice = plane + (depth.first + d * depth.dilation) * sizes[1] * sizes[2];
    for (int64_t h = 0; h < height.count; ++h) {
      const T* row = slice + (height.first + h * height.dilation) * sizes[2];
      for (int64_t w = 0; w < width.count; ++w) visit(row[width.first + w * width.dilation]);
    }
  }
}

// dst = the reduction of each window: reduce(plane, depth, height, width), in order.
template <typename T, typename Reduce>
void ReduceWindows(const T* plane, const AxisWindows& windows, T* dst, Reduce reduce) {
  for (const Window& depth : windows[0]) {
    for (const Window& height : windows[1]) {
      for (const Window& width : windows[2]) *dst++ = reduce(plane, depth, height, width);
    }
  }
}

// The mean over a window, by the windows' divisors; 0 over none.
template <typename T>
T Average(const T* plane, const Axes& sizes, const Window& depth, const Window& height,
          const Window& width) {
  if (depth.count == 0 || height.count == 0 || width.count == 0) return 0;
  double sum = 0;
  VisitWindow(plane, sizes, depth, height, width, [&](T value) { sum += value; });
  return static_cast<T>(sum / static_cast<double>(depth.divisor * height.divisor * width.divisor));
}

// The maximum over a window: NaN wins, -inf over none.
template <typename T>
T Maximum(const T* plane, const Axes& sizes, const Window& depth, const Window& height,
          const Window& width) {
  T maximum = -std::numeric_limits<T>::infinity();
  VisitWindow(plane, sizes, depth, height, width, [&](T value) {
    if (value > maximum || std::isnan(value)) maximum = value;
  });
  return maximum;
}

}  // namespace lazynet::backend::reference
