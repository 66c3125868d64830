#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/product.h"
#include "engine/backend/reference/strides.h"

namespace lazynet::backend::reference {
namespace {

// Where the matrices of one product begin.
struct Offsets {
  int64_t src0;
  int64_t src1;
};

// Of each product, in the order of dst.
std::vector<Offsets> BatchOffsets(const OpShapes& shapes) {
  const std::vector<int64_t> src0 = BroadcastStrides(shapes.srcs[0], shapes.dst);
  const std::vector<int64_t> src1 = BroadcastStrides(shapes.srcs[1], shapes.dst);
  std::vector<Offsets> offsets = {{0, 0}};
  for (int axis = 0; axis < shapes.dst.rank() - 2; ++axis) {
    std::vector<Offsets> finer;
    for (const Offsets& outer : offsets) {
      for (int64_t i = 0; i < shapes.dst.dim(axis); ++i) {
        finer.push_back({outer.src0 + i * src0[static_cast<size_t>(axis)],
                         outer.src1 + i * src1[static_cast<size_t>(axis)]});
      }
    }
    offsets = std::move(finer);
  }
  return offsets;
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const MatMul& op, const OpShapes& shapes) {
  const ProductShape product =
      DenseProduct(shapes.dst.dim(-2), shapes.dst.dim(-1), shapes.srcs[0].dim(-1), op.transpose_b);
  const auto run = [=, alpha = op.alpha,
                    offsets = BatchOffsets(shapes)](const Operands<T>& operands) {
    T* dst = operands.dst();
    for (const Offsets& at : offsets) {
      Multiply<T>(product, operands.src(0) + at.src0, operands.src(1) + at.src1, nullptr, alpha,
                  operands.scratch(), dst);
      dst += product.rows * product.columns;
    }
  };
  return {.run = run, .scratch = static_cast<size_t>(MultiplyScratch<T>(product))};
}

LAZYNET_REFERENCE_COMPUTATION(MatMul);

}  // namespace lazynet::backend::reference
