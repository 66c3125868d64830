#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/product.h"
#include "engine/backend/reference/spatial.h"

namespace lazynet::backend::reference {
namespace {

struct Geometry {
  int64_t batch;
  int64_t groups;
  int64_t group_inputs;
  int64_t group_outputs;
  int64_t kernel_size;
  Axes src_sizes;
  Axes dst_sizes;
  int64_t src_plane;
  int64_t dst_plane;
  std::array<std::vector<Stride>, 3> taps;
};

Geometry GeometryOf(const Convolution& op, const OpShapes& shapes) {
  const Shape& weights = shapes.srcs[1];
  Geometry geometry = {.batch = shapes.dst.dim(0),
                       .groups = op.groups,
                       .group_inputs = weights.dim(1),
                       .group_outputs = weights.dim(0) / op.groups,
                       .kernel_size = Product(weights, 2, weights.rank()),
                       .src_sizes = SpatialSizes(shapes.srcs[0]),
                       .dst_sizes = SpatialSizes(shapes.dst)};
  geometry.src_plane = Volume(geometry.src_sizes);
  geometry.dst_plane = Volume(geometry.dst_sizes);
  geometry.taps =
      SlideKernel(SpatialSizes(weights), SpatialAxes(op.strides, 1), SpatialAxes(op.dilations, 1),
                  SpatialAxes(op.padding_l, 0), geometry.dst_sizes, geometry.src_sizes);
  return geometry;
}

// sums[i] += weight * src[the element that the tap meets when the kernel stands at i].
template <typename T>
void AddTap(double weight, const T* src, const Axes& src_sizes, const Stride& depth,
            const Stride& height, const Stride& width, double* sums, const Axes& dst_sizes) {
  for (int64_t d = depth.steps.begin; d < depth.steps.end; ++d) {
    for (int64_t h = height.steps.begin; h < height.steps.end; ++h) {
      const int64_t src_d = d * depth.stride + depth.offset;
      const int64_t src_h = h * height.stride + height.offset;
      const int64_t start = (src_d * src_sizes[1] + src_h) * src_sizes[2] + width.offset;
      double* sums_row = sums + (d * dst_sizes[1] + h) * dst_sizes[2];
      for (int64_t w = width.steps.begin; w < width.steps.end; ++w) {
        sums_row[w] += weight * src[start + w * width.stride];
      }
    }
  }
}

// Tap by tap, for sums that are wider than the elements.
template <typename T>
Computation<T> ByTaps(const Geometry& geometry) {
  const auto run = [geometry](const Operands<T>& operands) {
    const auto& [batch, groups, group_inputs, group_outputs, kernel_size, src_sizes, dst_sizes,
                 src_plane, dst_plane, taps] = geometry;
    const T* bias = operands.src(2);
    T* dst = operands.dst();
    double* sums = operands.scratch();
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t output = 0; output < groups * group_outputs; ++output) {
        const int64_t group = output / group_outputs;
        const T* src = operands.src(0) + (n * groups + group) * group_inputs * src_plane;
        const T* weights = operands.src(1) + output * group_inputs * kernel_size;
        std::fill_n(sums, dst_plane, bias != nullptr ? bias[output] : 0);
        for (int64_t input = 0; input < group_inputs; ++input, src += src_plane) {
          for (const Stride& depth : taps[0]) {
            for (const Stride& height : taps[1]) {
              for (const Stride& width : taps[2]) {
                AddTap(*weights++, src, src_sizes, depth, height, width, sums, dst_sizes);
              }
            }
          }
        }
        for (int64_t i = 0; i < dst_plane; ++i) *dst++ = static_cast<T>(sums[i]);
      }
    }
  };
  return {.run = run, .scratch = static_cast<size_t>(geometry.dst_plane)};
}

bool Contains(const Range& range, int64_t i) { return range.begin <= i && i < range.end; }

// The elements of `src` that one tap meets when the kernel stands at a range of dst's rows (of all
// depths, counted through); zeros where that is padding. Returns the end of what it wrote.
double* CopyTap(const Geometry& geometry, const double* src, const Stride& depth,
                const Stride& height, const Stride& width, const Range& rows, double* patches) {
  const int64_t row_size = geometry.dst_sizes[2];
  for (int64_t row = rows.begin; row < rows.end; ++row, patches += row_size) {
    const int64_t d = row / geometry.dst_sizes[1];
    const int64_t h = row % geometry.dst_sizes[1];
    if (!Contains(depth.steps, d) || !Contains(height.steps, h)) {
      std::fill_n(patches, row_size, 0.0);
      continue;
    }
    const int64_t src_d = d * depth.stride + depth.offset;
    const int64_t src_h = h * height.stride + height.offset;
    const int64_t start =
        (src_d * geometry.src_sizes[1] + src_h) * geometry.src_sizes[2] + width.offset;
    std::fill_n(patches, width.steps.begin, 0.0);
    for (int64_t w = width.steps.begin; w < width.steps.end; ++w) {
      patches[w] = src[start + w * width.stride];
    }
    std::fill(patches + width.steps.end, patches + row_size, 0.0);
  }
  return patches;
}

// The patches of one product take at most 2 MB, or one row of dst.
constexpr int64_t kPatchDoubles = int64_t{1} << 18;

// As products of the weights [O / groups, C / groups taps] with patches [C / groups taps, elements
// of some rows of dst].
Computation<double> ByProducts(const Geometry& geometry) {
  const int64_t patch_size = geometry.group_inputs * geometry.kernel_size;
  const int64_t row_size = geometry.dst_sizes[2];
  const int64_t rows = geometry.dst_sizes[0] * geometry.dst_sizes[1];
  const int64_t rows_at_once =
      std::clamp<int64_t>(kPatchDoubles / (patch_size * row_size), 1, rows);
  const auto run = [=](const Operands<double>& operands) {
    const double* src = operands.src(0);
    const double* bias = operands.src(2);
    double* dst = operands.dst();
    for (int64_t image_group = 0; image_group < geometry.batch * geometry.groups; ++image_group) {
      const int64_t first_output = image_group % geometry.groups * geometry.group_outputs;
      for (int64_t i = 0; i < geometry.group_outputs; ++i) {
        std::fill_n(dst + i * geometry.dst_plane, geometry.dst_plane,
                    bias != nullptr ? bias[first_output + i] : 0);
      }
      for (int64_t row = 0; row < rows; row += rows_at_once) {
        const Range range = {row, std::min(row + rows_at_once, rows)};
        double* patches = operands.scratch();
        for (int64_t input = 0; input < geometry.group_inputs; ++input) {
          for (const Stride& depth : geometry.taps[0]) {
            for (const Stride& height : geometry.taps[1]) {
              for (const Stride& width : geometry.taps[2]) {
                patches = CopyTap(geometry, src + input * geometry.src_plane, depth, height, width,
                                  range, patches);
              }
            }
          }
        }
        ProductShape product = DenseProduct(
            geometry.group_outputs, (range.end - range.begin) * row_size, patch_size, false);
        product.dst_stride = geometry.dst_plane;
        AddProduct(product, operands.src(1) + first_output * patch_size, operands.scratch(),
                   dst + row * row_size);
      }
      src += geometry.group_inputs * geometry.src_plane;
      dst += geometry.group_outputs * geometry.dst_plane;
    }
  };
  return {.run = run, .scratch = static_cast<size_t>(patch_size * rows_at_once * row_size)};
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Convolution& op, const OpShapes& shapes) {
  const Geometry geometry = GeometryOf(op, shapes);
  if constexpr (std::is_same_v<T, double>) {
    return ByProducts(geometry);
  } else {
    return ByTaps<T>(geometry);
  }
}

LAZYNET_REFERENCE_COMPUTATION(Convolution);

}  // namespace lazynet::backend::reference
