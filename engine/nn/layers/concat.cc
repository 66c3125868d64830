#include "engine/nn/layers/concat.h"

#include <utility>
#include <vector>

#include "engine/nn/dims.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

// Makes `output` the shape of itself with `input` behind it; false when they do not agree.
bool Append(const Shape& input, int axis, Shape& output) {
  if (input.rank() != output.rank()) return false;
  for (int i = 0; i < output.rank(); ++i) {
    const int64_t left = output.dim(i);
    const int64_t right = input.dim(i);
    const bool open = left == kUnknownDim || right == kUnknownDim;
    if (i == axis) {
      output.set_dim(i, open ? kUnknownDim : left + right);
    } else if (left == kUnknownDim) {
      output.set_dim(i, right);
    } else if (left != right && !open) {
      return false;
    }
  }
  return true;
}

// PyTorch skips vectors of no elements, whatever the shape of the others.
bool IsEmptyVector(const Shape& shape) { return shape.rank() == 1 && shape.dim(0) == 0; }
bool MayBeEmptyVector(const Shape& shape) {
  return shape.rank() == 1 && (shape.dim(0) == 0 || shape.dim(0) == kUnknownDim);
}

// A layer that joins inputs of any dtypes, as the one that they promote to.
class Joining : public Layer {
 public:
  Arity arity() const override { return {.least = 1, .most = -1}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    return Promote(inputs);
  }

  std::string Arguments(const Sizes&) const override { return fmt::format("dim={}", dim_); }

 protected:
  explicit Joining(AttributeReader& reader) : dim_(reader.Int("dim", 0)) {}

  int64_t dim() const { return dim_; }

  // Those of the values that have elements, side by side.
  static backend::ValueId Join(Lowering& lowering, const std::vector<backend::ValueId>& values,
                               int axis, const Shape& output) {
    std::vector<DType> dtypes;
    for (const auto value : values) dtypes.push_back(lowering.dtype_of(value));
    const DType dtype = Promote(dtypes);
    std::vector<backend::ValueId> parts;
    for (const auto value : values) {
      if (lowering.shape(value).num_elements() > 0) parts.push_back(lowering.Cast(value, dtype));
    }
    if (parts.empty()) return lowering.Reshape(lowering.Cast(values[0], dtype), output);
    if (parts.size() == 1) return parts.front();
    return lowering.Add(backend::Concat{.axis = axis}, std::move(parts), output);
  }

 private:
  int64_t dim_;
};

class Concat : public Joining {
 public:
  explicit Concat(AttributeReader& reader) : Joining(reader) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return Output(inputs);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape output = *Output(InputShapes(lowering));
    std::vector<backend::ValueId> values;
    for (int i = 0; i < lowering.input_count(); ++i) values.push_back(lowering.input(i));
    return Join(lowering, values, *AxisOf(dim(), output), output);
  }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const {
    const Shape* first = &inputs[0];
    for (const Shape& input : inputs) {
      if (!MayBeEmptyVector(input)) {
        first = &input;
        break;
      }
    }
    RETURN_IF_ERROR(CheckNoScalar(*first));
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim(), *first));
    Shape output = *first;
    for (const Shape& input : inputs) {
      if (&input == first || IsEmptyVector(input)) continue;
      if (input.rank() != output.rank() && MayBeEmptyVector(input)) continue;
      if (!Append(input, axis, output)) {
        return InvalidArgument("wants shapes that agree but for dim {}, got {} and {}", dim(),
                               first->ToString(), input.ToString());
      }
      RETURN_IF_ERROR(CheckPartialBounds(output.dims()));
    }
    return output;
  }
};

class Stack : public Joining {
 public:
  explicit Stack(AttributeReader& reader) : Joining(reader) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const int64_t rank = inputs[0].rank() + 1;
    if (dim() < -rank || dim() >= rank) {
      return InvalidArgument("wants dim {} to {} for shape {}, got {}", -rank, rank - 1,
                             inputs[0].ToString(), dim());
    }
    Shape common = WithAxis(inputs[0], 1);
    const int axis = Axis(common);
    for (const Shape& input : inputs.subspan(1)) {
      if (input.rank() + 1 != rank || !Append(WithAxis(input, 1), axis, common)) {
        return InvalidArgument("wants equal shapes, got {} and {}", inputs[0].ToString(),
                               input.ToString());
      }
    }
    RETURN_IF_ERROR(CheckPartialBounds(common.dims()));
    return common;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape input = lowering.shape(lowering.input(0));
    std::vector<backend::ValueId> values;
    for (int i = 0; i < lowering.input_count(); ++i) {
      values.push_back(lowering.Reshape(lowering.input(i), WithAxis(input, 1)));
    }
    const Shape output = WithAxis(input, lowering.input_count());
    return Join(lowering, values, Axis(output), output);
  }

 private:
  int Axis(const Shape& stacked) const {
    return static_cast<int>(dim() < 0 ? dim() + stacked.rank() : dim());
  }

  Shape WithAxis(const Shape& input, int64_t size) const {
    Shape::Dims dims(input.dims().begin(), input.dims().end());
    dims.insert(dims.begin() + (dim() < 0 ? dim() + input.rank() + 1 : dim()), size);
    return Shape(std::move(dims));
  }
};

}  // namespace

std::unique_ptr<const Layer> MakeConcat(AttributeReader& reader) {
  return std::make_unique<Concat>(reader);
}

std::unique_ptr<const Layer> MakeStack(AttributeReader& reader) {
  return std::make_unique<Stack>(reader);
}

}  // namespace lazynet::nn
