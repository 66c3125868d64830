#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/strides.h"

namespace lazynet::backend::reference {
namespace {

// An axis of dst: its size, and how far each tensor moves per step (0 where it is stretched).
struct Axis {
  int64_t size;
  int64_t src0_stride;
  int64_t src1_stride;
  int64_t dst_stride;
};

std::vector<Axis> MakeAxes(const OpShapes& shapes) {
  const auto src0 = BroadcastStrides(shapes.srcs[0], shapes.dst);
  const auto src1 = BroadcastStrides(shapes.srcs[1], shapes.dst);
  const auto dst = BroadcastStrides(shapes.dst, shapes.dst);
  std::vector<Axis> axes;
  for (size_t axis = 0; axis < dst.size(); ++axis) {
    axes.push_back({shapes.dst.dim(static_cast<int>(axis)), src0[axis], src1[axis], dst[axis]});
  }
  if (axes.empty()) axes.push_back({1, 0, 0, 0});  // scalars
  return axes;
}

template <typename T, typename Function>
void Apply(std::span<const Axis> axes, const T* src0, const T* src1, T* dst, Function function) {
  const Axis& axis = axes.front();
  if (axes.size() == 1) {
    for (int64_t i = 0; i < axis.size; ++i) {
      dst[i] = function(src0[i * axis.src0_stride], src1[i * axis.src1_stride]);
    }
    return;
  }
  for (int64_t i = 0; i < axis.size; ++i) {
    Apply(axes.subspan(1), src0 + i * axis.src0_stride, src1 + i * axis.src1_stride,
          dst + i * axis.dst_stride, function);
  }
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Binary& op, const OpShapes& shapes) {
  const auto run = [algorithm = op.algorithm,
                    axes = MakeAxes(shapes)](const Operands<T>& operands) {
    switch (algorithm) {
      case Binary::Algorithm::kAdd:
        return Apply(std::span(axes), operands.src(0), operands.src(1), operands.dst(),
                     [](T a, T b) { return a + b; });
      case Binary::Algorithm::kMul:
        return Apply(std::span(axes), operands.src(0), operands.src(1), operands.dst(),
                     [](T a, T b) { return a * b; });
    }
  };
  return {.run = run, .in_place = shapes.srcs[0] == shapes.dst};
}

LAZYNET_REFERENCE_COMPUTATION(Binary);

}  // namespace lazynet::backend::reference
