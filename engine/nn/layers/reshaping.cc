#include "engine/nn/layers/reshaping.h"

#include <algorithm>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

// A layer whose output is input 0 in another shape.
class View : public SizedShapeLayer {
 public:
  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return Output(inputs);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const std::vector<Shape> inputs = InputShapes(lowering);
    return lowering.Reshape(lowering.input(0), *Output(inputs));
  }

 private:
  virtual absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const = 0;
};

class Reshape : public View {
 public:
  explicit Reshape(AttributeReader& reader)
      : shape_(reader.Expressions("shape").value_or(std::vector<DimExpression>())) {}

  std::string Arguments(const Sizes&) const override { return "shape=" + Text(shape_); }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const override {
    ASSIGN_OR_RETURN(Shape::Dims dims, Rearranged(shape_, inputs, 0, inputs[0].rank()));
    return Shape(std::move(dims));
  }

  std::vector<DimExpression> shape_;
};

class Unflatten : public View {
 public:
  explicit Unflatten(AttributeReader& reader) : dim_(reader.Int("dim", 0)) {
    reader.Require(reader.Has("dim"), "argument dim is missing");
    const auto sizes = reader.Expressions("unflattened_size");
    reader.Require(sizes && !sizes->empty(), "argument unflattened_size wants at least 1 size");
    if (sizes) sizes_ = *sizes;
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dim={}, unflattened_size={}", dim_, Text(sizes_));
  }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const override {
    const Shape& input = inputs[0];
    if (input.rank() == 0) return InvalidArgument("wants a rank of at least 1, got a scalar");
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim_, input));
    ASSIGN_OR_RETURN(const Shape::Dims middle, Rearranged(sizes_, inputs, axis, axis + 1));
    Shape::Dims dims(input.dims().begin(), input.dims().begin() + axis);
    dims.insert(dims.end(), middle.begin(), middle.end());
    dims.insert(dims.end(), input.dims().begin() + axis + 1, input.dims().end());
    RETURN_IF_ERROR(CheckPartialBounds(dims));
    return Shape(std::move(dims));
  }

  int64_t dim_;
  std::vector<DimExpression> sizes_;
};

class Squeeze : public View {
 public:
  explicit Squeeze(AttributeReader& reader) : dims_(reader.Axes("dim")) {
    reader.Require(reader.Has("dim"), "argument dim is missing");
  }

  Arity arity() const override { return {}; }
  std::string Arguments(const Sizes&) const override { return "dim=" + Tuple(dims_); }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const override {
    const Shape& input = inputs[0];
    ASSIGN_OR_RETURN(const std::vector<int> axes, DistinctAxes(dims_, input));
    Shape::Dims dims;
    for (int axis = 0; axis < input.rank(); ++axis) {
      const bool named = std::find(axes.begin(), axes.end(), axis) != axes.end();
      const int64_t size = input.dim(axis);
      if (!named || (size != 1 && size != kUnknownDim)) dims.push_back(size);
    }
    return Shape(std::move(dims));
  }

  std::vector<int64_t> dims_;
};

class Unsqueeze : public View {
 public:
  explicit Unsqueeze(AttributeReader& reader) : dim_(reader.Int("dim", 0)) {
    reader.Require(reader.Has("dim"), "argument dim is missing");
  }

  Arity arity() const override { return {}; }
  std::string Arguments(const Sizes&) const override { return fmt::format("dim={}", dim_); }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const override {
    const int64_t rank = inputs[0].rank() + 1;
    if (dim_ < -rank || dim_ >= rank) {
      return InvalidArgument("wants dim {} to {} for shape {}, got {}", -rank, rank - 1,
                             inputs[0].ToString(), dim_);
    }
    Shape::Dims dims(inputs[0].dims().begin(), inputs[0].dims().end());
    dims.insert(dims.begin() + (dim_ < 0 ? dim_ + rank : dim_), 1);
    RETURN_IF_ERROR(CheckPartialBounds(dims));
    return Shape(std::move(dims));
  }

  int64_t dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeReshape(AttributeReader& reader) {
  return std::make_unique<Reshape>(reader);
}

std::unique_ptr<const Layer> MakeUnflatten(AttributeReader& reader) {
  return std::make_unique<Unflatten>(reader);
}

std::unique_ptr<const Layer> MakeSqueeze(AttributeReader& reader) {
  return std::make_unique<Squeeze>(reader);
}

std::unique_ptr<const Layer> MakeUnsqueeze(AttributeReader& reader) {
  return std::make_unique<Unsqueeze>(reader);
}

}  // namespace lazynet::nn
