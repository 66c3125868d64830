#include "engine/backend/reference/broadcast.h"
#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/product.h"

namespace lazynet::backend::reference {
namespace {

// The products of a batch, in the order of dst.
class Batch {
 public:
  explicit Batch(const OpShapes& shapes)
      : broadcast_({WithoutMatrix(shapes.srcs[0]), WithoutMatrix(shapes.srcs[1])},
                   WithoutMatrix(shapes.dst)),
        size0_(shapes.srcs[0].dim(-2) * shapes.srcs[0].dim(-1)),
        size1_(shapes.srcs[1].dim(-2) * shapes.srcs[1].dim(-1)) {}

  // Calls visit(where the matrix of src0 begins, where that of src1 does).
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    const auto [step0, step1] = broadcast_.row_strides();
    broadcast_.ForEachRow([&](const Broadcast<2>::Offsets& at, int64_t) {
      for (int64_t i = 0; i < broadcast_.row_size(); ++i) {
        visit((at[0] + i * step0) * size0_, (at[1] + i * step1) * size1_);
      }
    });
  }

 private:
  static Shape WithoutMatrix(const Shape& shape) {
    return Shape(shape.dims().first(shape.dims().size() - 2));
  }

  Broadcast<2> broadcast_;  // of matrices
  int64_t size0_;
  int64_t size1_;
};

}  // namespace

template <typename T>
Computation<T> MakeComputation(const MatMul& op, const OpShapes& shapes) {
  const ProductShape product =
      DenseProduct(shapes.dst.dim(-2), shapes.dst.dim(-1), shapes.srcs[0].dim(-1), op.transpose_b);
  const auto run = [=, alpha = op.alpha, batch = Batch(shapes)](const Operands<T>& operands) {
    T* dst = operands.dst();
    batch.ForEach([&](int64_t src0, int64_t src1) {
      Multiply<T>(product, operands.src(0) + src0, operands.src(1) + src1, nullptr, alpha,
                  operands.scratch(), dst);
      dst += product.rows * product.columns;
    });
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
  const Batch batch({{src0.shape, src1.shape}, dst.shape});
  return [=](const AnyOperands& operands) {
    int64_t* result = operands.dst<int64_t>();
    batch.ForEach([&](int64_t first0, int64_t first1) {
      const int64_t* a = operands.src<int64_t>(0) + first0;
      for (int64_t m = 0; m < rows; ++m, a += inner) {
        for (int64_t n = 0; n < columns; ++n) {
          const int64_t* b = operands.src<int64_t>(1) + first1 + n * column;
          uint64_t sum = 0;
          for (int64_t k = 0; k < inner; ++k) {
            sum += static_cast<uint64_t>(a[k]) * static_cast<uint64_t>(b[k * step]);
          }
          *result++ = static_cast<int64_t>(sum);
        }
      }
    });
    return absl::OkStatus();
  };
}

LAZYNET_REFERENCE_COMPUTATION(MatMul);

}  // namespace lazynet::backend::reference
