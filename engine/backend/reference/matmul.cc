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

// Of integers, which wrap.
absl::StatusOr<AnyRun> MakeRun(const MatMul& kind, const Graph& graph, const Op& op) {
  const Value& src0 = graph.value(op.inputs[0]);
  const Value& src1 = graph.value(op.inputs[1]);
  const Value& dst = graph.value(op.output);
  const DType wanted = DType::kInt64;
  if (src0.dtype != wanted || src1.dtype != wanted || dst.dtype != wanted || kind.alpha != 1) {
    return Unimplemented("this matmul of {} and {} to {}", Name(src0.dtype), Name(src1.dtype),
                         Name(dst.dtype));
  }
  const int64_t rows = dst.shape.dim(-2);
  const int64_t columns = dst.shape.dim(-1);
  const int64_t inner = src0.shape.dim(-1);
  const int64_t step = kind.transpose_b ? 1 : columns;  // to the next element of a column
  const int64_t column = kind.transpose_b ? inner : 1;  // to the next column
  return [=, offsets =
                 BatchOffsets({{src0.shape, src1.shape}, dst.shape})](const AnyOperands& operands) {
    int64_t* result = operands.dst<int64_t>();
    for (const Offsets& at : offsets) {
      const int64_t* a = operands.src<int64_t>(0) + at.src0;
      for (int64_t m = 0; m < rows; ++m, a += inner) {
        for (int64_t n = 0; n < columns; ++n) {
          const int64_t* b = operands.src<int64_t>(1) + at.src1 + n * column;
          uint64_t sum = 0;
          for (int64_t k = 0; k < inner; ++k) {
            sum += static_cast<uint64_t>(a[k]) * static_cast<uint64_t>(b[k * step]);
          }
          *result++ = static_cast<int64_t>(sum);
        }
      }
    }
    return absl::OkStatus();
  };
}

LAZYNET_REFERENCE_COMPUTATION(MatMul);

}  // namespace lazynet::backend::reference
