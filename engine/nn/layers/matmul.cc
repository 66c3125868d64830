#include "engine/nn/layers/matmul.h"

#include <string>
#include <utility>

#include "engine/nn/broadcast.h"
#include "engine/nn/fitting.h"
#include "engine/nn/layers/elementwise.h"
#include "engine/nn/matrices.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;

class Matmul : public Layer {
 public:
  Arity arity() const override { return {.least = 2, .most = 2}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (inputs[0] == DType::kBool) return InvalidArgument("wants numbers, got BOOL");
    if (inputs[0] != inputs[1]) {
      return InvalidArgument("wants all inputs of dtype {}, got {}", Name(inputs[0]),
                             Name(inputs[1]));
    }
    return inputs[0];
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    if (inputs[0].rank() == 0 || inputs[1].rank() == 0) {
      return InvalidArgument("wants inputs of rank 1 and more, got shapes {} and {}",
                             inputs[0].ToString(), inputs[1].ToString());
    }
    const Shape left = AsMatrices(inputs[0], true);
    const Shape right = AsMatrices(inputs[1], false);
    const int64_t inner = left.dim(-1);
    if (!MayEqual(inner, right.dim(-2))) {
      return InvalidArgument(
          "wants as many columns on the left as rows on the right, got shapes {} and {}",
          inputs[0].ToString(), inputs[1].ToString());
    }
    ASSIGN_OR_RETURN(const Shape batch, Broadcast(BatchOf(left), BatchOf(right)));
    Shape product = WithoutVectors(WithMatrix(batch, left.dim(-2), right.dim(-1)), inputs);
    RETURN_IF_ERROR(CheckPartialBounds(product.dims()));
    return product;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape inputs[] = {lowering.shape(lowering.input(0)), lowering.shape(lowering.input(1))};
    Shape left = AsMatrices(inputs[0], true);
    Shape right = AsMatrices(inputs[1], false);
    const Shape batch = *Broadcast(BatchOf(left), BatchOf(right));
    const Shape product = WithMatrix(batch, left.dim(-2), right.dim(-1));
    const Shape result = WithoutVectors(product, inputs);
    Shape computed = product;
    if (BatchOf(right).num_elements() == 1 && left.num_elements() > 0) {
      // All matrices on the left are rows of one.
      const int64_t rows = left.num_elements() / left.dim(-1);
      left = Shape{rows, left.dim(-1)};
      right = Shape{right.dim(-2), right.dim(-1)};
      computed = Shape{rows, right.dim(-1)};
    } else {
      left = WithRank(left, product.rank());
      right = WithRank(right, product.rank());
    }
    const DType dtype = lowering.dtype_of(lowering.input(0));
    ValueId dst = lowering.Add(backend::MatMul{},
                               {InShape(lowering, 0, left), InShape(lowering, 1, right)}, computed);
    dst = InGraphDType(lowering, dst, dtype);
    return computed == result ? dst : lowering.Reshape(dst, result);
  }

  std::string Arguments(const Sizes&) const override { return ""; }

 private:
  static ValueId InShape(Lowering& lowering, int input, const Shape& shape) {
    ValueId id = lowering.input(input);
    id = InGraphDType(lowering, id, ArithmeticDType(lowering.dtype_of(id)));
    return lowering.shape(id) == shape ? id : lowering.Reshape(id, shape);
  }

  // A vector as a row, or as a column.
  static Shape AsMatrices(const Shape& shape, bool left) {
    if (shape.rank() > 1) return shape;
    return left ? Shape{1, shape.dim(0)} : Shape{shape.dim(0), 1};
  }

  // The product without the axes that vectors were given.
  static Shape WithoutVectors(const Shape& product, std::span<const Shape> inputs) {
    Shape::Dims dims(product.dims().begin(), product.dims().end());
    if (inputs[1].rank() == 1) dims.pop_back();
    if (inputs[0].rank() == 1) dims.erase(dims.end() - (inputs[1].rank() == 1 ? 1 : 2));
    return Shape(std::move(dims));
  }
};

}  // namespace

std::unique_ptr<const Layer> MakeMatmul(AttributeReader&) { return std::make_unique<Matmul>(); }

}  // namespace lazynet::nn
