#include <algorithm>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

// Images [N, C, H, W] and their patches [N, C kernel_h kernel_w, windows].
struct Geometry {
  int64_t channels;  // N C: what one image or item has
  int64_t height, width;
  int64_t windows_h, windows_w;
  AxisVector kernel, strides, dilations, padding;

  template <typename Op>
  Geometry(const Op& op, const Shape& image)
      : channels(Product(image, 0, 2)),
        height(image.dim(2)),
        width(image.dim(3)),
        windows_h(Windows(op, 0, height)),
        windows_w(Windows(op, 1, width)),
        kernel(op.kernel),
        strides(op.strides),
        dilations(op.dilations),
        padding(op.padding) {}

  template <typename Op>
  static int64_t Windows(const Op& op, size_t axis, int64_t size) {
    return WindowCount(size, 2 * op.padding[axis], op.kernel[axis], op.dilations[axis],
                       op.strides[axis]);
  }

  // Calls visit(image element, or -1 in the padding; patches element) for each of the latter.
  template <typename Visit>
  void ForEach(Visit visit) const {
    int64_t patch = 0;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t kh = 0; kh < kernel[0]; ++kh) {
        for (int64_t kw = 0; kw < kernel[1]; ++kw) {
          for (int64_t h = 0; h < windows_h; ++h) {
            const int64_t y = h * strides[0] - padding[0] + kh * dilations[0];
            for (int64_t w = 0; w < windows_w; ++w, ++patch) {
              const int64_t x = w * strides[1] - padding[1] + kw * dilations[1];
              const bool inside = y >= 0 && y < height && x >= 0 && x < width;
              visit(inside ? (c * height + y) * width + x : -1, patch);
            }
          }
        }
      }
    }
  }
};

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Unfold& op, const OpShapes& shapes) {
  const Geometry geometry(op, shapes.srcs[0]);
  const auto run = [=](const Operands<T>& operands) {
    const T* src = operands.src(0);
    T* dst = operands.dst();
    geometry.ForEach([&](int64_t at, int64_t patch) { dst[patch] = at < 0 ? T{0} : src[at]; });
  };
  return {.run = run};
}

template <typename T>
Computation<T> MakeComputation(const Fold& op, const OpShapes& shapes) {
  const Geometry geometry(op, shapes.dst);
  const auto elements = static_cast<size_t>(shapes.dst.num_elements());
  const auto run = [=](const Operands<T>& operands) {
    const T* src = operands.src(0);
    double* sums = operands.scratch();
    std::fill_n(sums, elements, 0.0);
    geometry.ForEach([&](int64_t at, int64_t patch) {
      if (at >= 0) sums[at] += src[patch];
    });
    std::transform(sums, sums + elements, operands.dst(),
                   [](double sum) { return static_cast<T>(sum); });
  };
  return {.run = run, .scratch = elements};
}

LAZYNET_REFERENCE_COMPUTATION(Unfold);
LAZYNET_REFERENCE_COMPUTATION(Fold);

}  // namespace lazynet::backend::reference
