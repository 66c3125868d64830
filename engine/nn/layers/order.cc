#include "engine/nn/layers/order.h"

#include <optional>
#include <string>
#include <utility>

#include "engine/nn/axes.h"
#include "engine/nn/layers/elementwise.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::TopK;
using backend::ValueId;

// A scalar as a list of one.
Shape AtLeastOneAxis(const Shape& shape) { return shape.rank() == 0 ? Shape{1} : shape; }

// Elements along `dim` in order, all of them or the first `count`.
class Ordered : public Layer {
 public:
  Ordered(int64_t dim, bool largest, std::optional<int64_t> count, std::string arguments)
      : dim_(dim), largest_(largest), count_(count), arguments_(std::move(arguments)) {}

  std::vector<std::string> output_names() const override { return {"values", "indices"}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (count_ && inputs[0] == DType::kBool) return InvalidArgument("wants numbers, got BOOL");
    RETURN_IF_ERROR(CheckOrdered(inputs, inputs[0]));
    return OutputDTypes{inputs[0], DType::kInt64};
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim_, inputs[0]));
    Shape shape = inputs[0];
    if (count_) {
      const int64_t size = shape.rank() == 0 ? 1 : shape.dim(axis);
      if (size != kUnknownDim && *count_ > size) {
        return InvalidArgument("wants at least {} elements along dim {}, got shape {}", *count_,
                               dim_, shape.ToString());
      }
      if (shape.rank() > 0) shape.set_dim(axis, *count_);
    }
    return OutputShapes{shape, shape};
  }

  OutputValues Lower(Lowering& lowering) const override {
    ValueId src = lowering.input(0);
    const Shape shape = lowering.shape(src);
    const DType dtype = lowering.graph().value(src).dtype;
    src =
        InGraphDType(lowering, src, dtype == DType::kBool ? DType::kInt64 : ArithmeticDType(dtype));
    if (shape.rank() == 0) src = lowering.Reshape(src, Shape{1});
    TopK op = {.axis = *AxisOf(dim_, shape), .largest = largest_};
    Shape taken = AtLeastOneAxis(shape);
    if (count_ && shape.rank() > 0) taken.set_dim(op.axis, *count_);
    ValueId values = lowering.Add(op, {src}, taken);
    op.output = TopK::Output::kIndices;
    ValueId indices = lowering.Add(op, {src}, taken, DType::kInt64);
    if (shape.rank() == 0) {
      values = lowering.Reshape(values, shape);
      indices = lowering.Reshape(indices, shape);
    }
    return OutputValues{InGraphDType(lowering, values, dtype), indices};
  }

  std::string Arguments(const Sizes&) const override { return arguments_; }

 private:
  int64_t dim_;
  bool largest_;
  std::optional<int64_t> count_;  // nothing: all
  std::string arguments_;
};

class CumsumLayer : public Layer {
 public:
  explicit CumsumLayer(AttributeReader& reader) : dim_(reader.Int("dim", 0)) {
    reader.Require(reader.Has("dim"), "argument dim is required");
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    return ResultOf(inputs[0]);
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(AxisOf(dim_, inputs[0]).status());
    return inputs[0];
  }

  OutputValues Lower(Lowering& lowering) const override {
    const backend::Value input = lowering.graph().value(lowering.input(0));
    const ValueId src = InGraphDType(lowering, lowering.input(0), ResultOf(input.dtype));
    if (input.shape.rank() == 0) return src;
    return lowering.Add(backend::Cumsum{.axis = *AxisOf(dim_, input.shape)}, {src}, input.shape);
  }

  std::string Arguments(const Sizes&) const override { return fmt::format("dim={}", dim_); }

 private:
  static DType ResultOf(DType dtype) { return IsFloating(dtype) ? dtype : DType::kInt64; }

  int64_t dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeTopk(AttributeReader& reader) {
  const int64_t count = reader.RequiredInt("k", 0);
  const int64_t dim = reader.Int("dim", -1);
  const bool largest = reader.Bool("largest", true);
  reader.Bool("sorted", true);
  return std::make_unique<Ordered>(
      dim, largest, count,
      fmt::format("k={}, dim={}, largest={}", count, dim, PythonBool(largest)));
}

std::unique_ptr<const Layer> MakeSort(AttributeReader& reader) {
  const int64_t dim = reader.Int("dim", -1);
  const bool descending = reader.Bool("descending", false);
  reader.Bool("stable", false);
  return std::make_unique<Ordered>(
      dim, descending, std::nullopt,
      fmt::format("dim={}, descending={}", dim, PythonBool(descending)));
}

std::unique_ptr<const Layer> MakeCumsum(AttributeReader& reader) {
  return std::make_unique<CumsumLayer>(reader);
}

}  // namespace lazynet::nn
