#include <algorithm>

#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/spatial.h"

namespace lazynet::backend::reference {
namespace {

// sums[the element that the tap meets when the kernel stands at i] += weight * src[i].
template <typename T>
void ScatterTap(double weight, const T* src, const Axes& src_sizes, const Stride& depth,
                const Stride& height, const Stride& width, double* sums, const Axes& dst_sizes) {
  for (int64_t d = depth.steps.begin; d < depth.steps.end; ++d) {
    for (int64_t h = height.steps.begin; h < height.steps.end; ++h) {
      const int64_t dst_d = d * depth.stride + depth.offset;
      const int64_t dst_h = h * height.stride + height.offset;
      const int64_t start = (dst_d * dst_sizes[1] + dst_h) * dst_sizes[2] + width.offset;
      const T* src_row = src + (d * src_sizes[1] + h) * src_sizes[2];
      for (int64_t w = width.steps.begin; w < width.steps.end; ++w) {
        sums[start + w * width.stride] += weight * src_row[w];
      }
    }
  }
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Deconvolution& op, const OpShapes& shapes) {
  const int64_t batch = shapes.srcs[0].dim(0);
  const int64_t groups = op.groups;
  const int64_t group_inputs = shapes.srcs[1].dim(0) / groups;
  const int64_t group_outputs = shapes.srcs[1].dim(1);
  const Axes src_sizes = SpatialSizes(shapes.srcs[0]);
  const Axes dst_sizes = SpatialSizes(shapes.dst);
  const auto taps =
      SlideKernel(SpatialSizes(shapes.srcs[1]), SpatialAxes(op.strides, 1),
                  SpatialAxes(op.dilations, 1), SpatialAxes(op.padding, 0), src_sizes, dst_sizes);
  const int64_t src_plane = Volume(src_sizes);
  const int64_t dst_plane = Volume(dst_sizes);
  const int64_t kernel_size = Product(shapes.srcs[1], 2, shapes.srcs[1].rank());

  const auto run = [=](const Operands<T>& operands) {
    const T* bias = operands.src(2);
    T* dst = operands.dst();
    double* sums = operands.scratch();
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t output = 0; output < groups * group_outputs; ++output) {
        const int64_t group = output / group_outputs;
        std::fill_n(sums, dst_plane, bias != nullptr ? bias[output] : 0);
        for (int64_t i = 0; i < group_inputs; ++i) {
          const int64_t input = group * group_inputs + i;
          const T* src = operands.src(0) + (n * groups * group_inputs + input) * src_plane;
          const T* weights =
              operands.src(1) + (input * group_outputs + output % group_outputs) * kernel_size;
          for (const Stride& depth : taps[0]) {
            for (const Stride& height : taps[1]) {
              for (const Stride& width : taps[2]) {
                ScatterTap(*weights++, src, src_sizes, depth, height, width, sums, dst_sizes);
              }
            }
          }
        }
        for (int64_t i = 0; i < dst_plane; ++i) *dst++ = static_cast<T>(sums[i]);
      }
    }
  };
  return {.run = run, .scratch = static_cast<size_t>(dst_plane)};
}

LAZYNET_REFERENCE_COMPUTATION(Deconvolution);

}  // namespace lazynet::backend::reference
