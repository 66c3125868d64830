#include <algorithm>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

// The index in [0, size) whose element stands at `index`, which may be outside.
int64_t SourceIndex(Pad::Mode mode, int64_t index, int64_t size) {
  switch (mode) {
    case Pad::Mode::kReflect:
      return index < 0 ? -index : index >= size ? 2 * (size - 1) - index : index;
    case Pad::Mode::kReplicate:
      return std::clamp<int64_t>(index, 0, size - 1);
    case Pad::Mode::kCircular:
      return index < 0 ? index + size : index >= size ? index - size : index;
  }
  LAZYNET_CHECK(false);
  return 0;
}

struct Axis {
  std::vector<int64_t> src_offsets;  // per index of dst
  int64_t dst_stride = 1;
};

template <typename T>
void Copy(std::span<const Axis> axes, const T* src, T* dst) {
  const Axis& axis = axes.front();
  for (const int64_t offset : axis.src_offsets) {
    if (axes.size() == 1) {
      *dst = src[offset];
    } else {
      Copy(axes.subspan(1), src + offset, dst);
    }
    dst += axis.dst_stride;
  }
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Pad& op, const OpShapes& shapes) {
  const Shape& src = shapes.srcs[0];
  std::vector<Axis> axes;
  for (int axis = 0; axis < src.rank(); ++axis) {
    const int64_t src_stride = Product(src, axis + 1, src.rank());
    std::vector<int64_t> offsets;
    for (int64_t i = 0; i < shapes.dst.dim(axis); ++i) {
      const int64_t index = i - op.before[static_cast<size_t>(axis)];
      offsets.push_back(SourceIndex(op.mode, index, src.dim(axis)) * src_stride);
    }
    axes.push_back({std::move(offsets), Product(shapes.dst, axis + 1, src.rank())});
  }
  const auto run = [axes = std::move(axes)](const Operands<T>& operands) {
    Copy(std::span(axes), operands.src(0), operands.dst());
  };
  return {.run = run};
}

LAZYNET_REFERENCE_COMPUTATION(Pad);

}  // namespace lazynet::backend::reference
