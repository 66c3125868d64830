#include <algorithm>

#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/spatial.h"

namespace lazynet::backend::reference {
namespace {

// The taps of a window that starts at `start` which lie inside [0, size).
Window TapsInside(int64_t start, int64_t kernel, int64_t dilation, int64_t size) {
  Window window = {.first = start, .dilation = dilation};
  for (int64_t tap = 0; tap < kernel; ++tap) {
    const int64_t index = start + tap * dilation;
    if (index < 0 || index >= size) continue;
    if (window.count++ == 0) window.first = index;
  }
  return window;
}

AxisWindows MakeWindows(const Pooling& op, const Axes& src_sizes, const Axes& dst_sizes) {
  const Axes kernel = SpatialAxes(op.kernel, 1);
  const Axes strides = SpatialAxes(op.strides, 1);
  const Axes dilations = SpatialAxes(op.dilations, 1);
  const Axes padding = SpatialAxes(op.padding, 0);
  AxisWindows windows;
  for (size_t axis = 0; axis < 3; ++axis) {
    for (int64_t i = 0; i < dst_sizes[axis]; ++i) {
      const int64_t start = i * strides[axis] - padding[axis];
      Window window = TapsInside(start, kernel[axis], dilations[axis], src_sizes[axis]);
      const int64_t padded_end = src_sizes[axis] + padding[axis];
      window.divisor =
          op.count_include_pad ? std::min(start + kernel[axis], padded_end) - start : window.count;
      windows[axis].push_back(window);
    }
  }
  return windows;
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Pooling& op, const OpShapes& shapes) {
  const Axes src_sizes = SpatialSizes(shapes.srcs[0]);
  const Axes dst_sizes = SpatialSizes(shapes.dst);
  AxisWindows windows = MakeWindows(op, src_sizes, dst_sizes);
  if (op.divisor_override) {
    for (size_t axis = 0; axis < 3; ++axis) {
      for (Window& window : windows[axis]) window.divisor = axis == 0 ? *op.divisor_override : 1;
    }
  }
  const bool is_max = op.kind == Pooling::Kind::kMax;
  const int64_t planes = Product(shapes.dst, 0, 2);
  const int64_t src_plane = Volume(src_sizes);
  const int64_t dst_plane = Volume(dst_sizes);
  const auto run = [=](const Operands<T>& operands) {
    for (int64_t i = 0; i < planes; ++i) {
      ReduceWindows(
          operands.src(0) + i * src_plane, windows, operands.dst() + i * dst_plane,
          [&](const T* plane, const Window& depth, const Window& height, const Window& width) {
            return is_max ? Maximum(plane, src_sizes, depth, height, width)
                          : Average(plane, src_sizes, depth, height, width);
          });
    }
  };
  return {.run = run};
}

LAZYNET_REFERENCE_COMPUTATION(Pooling);

}  // namespace lazynet::backend::reference
