#include "engine/nn/layers/repeating.h"

#include <algorithm>
#include <utility>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

// The value stretched to a shape; itself if it has that.
backend::ValueId Stretch(Lowering& lowering, backend::ValueId value, const Shape& shape) {
  if (lowering.shape(value) == shape) return value;
  if (lowering.shape(value).num_elements() == shape.num_elements()) {
    return lowering.Reshape(value, shape);
  }
  return lowering.Add(backend::Expand{}, {value}, shape);
}

class Expand : public SizedShapeLayer {
 public:
  explicit Expand(AttributeReader& reader)
      : size_(reader.Expressions("size").value_or(std::vector<DimExpression>())) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return Output(inputs);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const std::vector<Shape> inputs = InputShapes(lowering);
    return Stretch(lowering, lowering.input(0), *Output(inputs));
  }

  std::string Arguments(const Sizes&) const override { return "size=" + Text(size_); }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const {
    const Shape& input = inputs[0];
    ASSIGN_OR_RETURN(const std::vector<Size> sizes, Evaluate(size_, inputs));
    const auto fault = [&] {
      return InvalidArgument("wants a shape that stretches to {}, got {}", Text(size_),
                             input.ToString());
    };
    const int added = static_cast<int>(sizes.size()) - input.rank();
    if (added < 0) return fault();
    Shape::Dims dims;
    for (int axis = 0; axis < static_cast<int>(sizes.size()); ++axis) {
      const Size wanted = sizes[static_cast<size_t>(axis)];
      const bool is_new = axis < added;
      const Size have = is_new ? Size(1) : KnownDim(input.dim(axis - added));
      if (wanted && (*wanted < -1 || (is_new && *wanted == -1))) return fault();
      if (wanted && *wanted == -1) {
        dims.push_back(DimOf(have));
      } else if (have && *have != 1) {
        if (wanted && *wanted != *have) return fault();
        dims.push_back(*have);
      } else {
        dims.push_back(DimOf(wanted));
      }
    }
    RETURN_IF_ERROR(CheckPartialBounds(dims));
    return Shape(std::move(dims));
  }

  std::vector<DimExpression> size_;
};

class Repeat : public SizedShapeLayer {
 public:
  explicit Repeat(AttributeReader& reader)
      : repeats_(reader.Expressions("repeats").value_or(std::vector<DimExpression>())) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return Output(inputs);
  }

  // As [1, a, 1, b] stretched to [m, a, n, b], the dims that are not repeated left as they are.
  OutputValues Lower(Lowering& lowering) const override {
    const std::vector<Shape> inputs = InputShapes(lowering);
    const Shape output = *Output(inputs);
    const std::vector<Size> repeats = *Evaluate(repeats_, inputs);
    const int added = output.rank() - inputs[0].rank();
    Shape::Dims apart;
    Shape::Dims stretched;
    for (int axis = 0; axis < output.rank(); ++axis) {
      const int64_t times = *repeats[static_cast<size_t>(axis)];
      if (times != 1) {
        apart.push_back(1);
        stretched.push_back(times);
      }
      if (axis < added) continue;
      apart.push_back(inputs[0].dim(axis - added));
      stretched.push_back(apart.back());
    }
    const auto value = lowering.Reshape(lowering.input(0), Shape(std::move(apart)));
    return lowering.Reshape(Stretch(lowering, value, Shape(std::move(stretched))), output);
  }

  std::string Arguments(const Sizes&) const override { return "repeats=" + Text(repeats_); }

 private:
  absl::StatusOr<Shape> Output(std::span<const Shape> inputs) const {
    const Shape& input = inputs[0];
    ASSIGN_OR_RETURN(const std::vector<Size> repeats, Evaluate(repeats_, inputs));
    const int added = static_cast<int>(repeats.size()) - input.rank();
    if (added < 0) {
      return InvalidArgument("wants a rank of at most {}, got shape {}", repeats.size(),
                             input.ToString());
    }
    Shape::Dims dims;
    for (int axis = 0; axis < static_cast<int>(repeats.size()); ++axis) {
      const Size times = repeats[static_cast<size_t>(axis)];
      if (times && (*times < 0 || *times > kMaxDim)) {
        return InvalidArgument("wants repeats of 0 to {}, got {} in {}", kMaxDim, *times,
                               Text(repeats_));
      }
      const Size have = axis < added ? Size(1) : KnownDim(input.dim(axis - added));
      dims.push_back(have && times ? *have * *times : kUnknownDim);
    }
    RETURN_IF_ERROR(CheckPartialBounds(dims));
    return Shape(std::move(dims));
  }

  std::vector<DimExpression> repeats_;
};

class RepeatInterleave : public ShapeLayer {
 public:
  explicit RepeatInterleave(AttributeReader& reader)
      : repeats_(reader.RequiredInt("repeats", 0)), dim_(reader.Int("dim", 0)) {
    reader.Require(reader.Has("dim"), "argument dim is missing");
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(CheckNoScalar(inputs[0]));
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim_, inputs[0]));
    Shape output = inputs[0];
    output.set_dim(axis, TimesDim(output.dim(axis), repeats_));
    RETURN_IF_ERROR(CheckPartialBounds(output.dims()));
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape input = lowering.shape(lowering.input(0));
    const int axis = *AxisOf(dim_, input);
    Shape::Dims apart(input.dims().begin(), input.dims().end());
    apart.insert(apart.begin() + axis + 1, 1);
    Shape::Dims stretched = apart;
    stretched[static_cast<size_t>(axis) + 1] = repeats_;
    Shape output = input;
    output.set_dim(axis, input.dim(axis) * repeats_);
    const auto value = lowering.Reshape(lowering.input(0), Shape(std::move(apart)));
    return lowering.Reshape(Stretch(lowering, value, Shape(std::move(stretched))), output);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("repeats={}, dim={}", repeats_, dim_);
  }

 private:
  int64_t repeats_;
  int64_t dim_;
};

}  // namespace

std::unique_ptr<const Layer> MakeExpand(AttributeReader& reader) {
  return std::make_unique<Expand>(reader);
}

std::unique_ptr<const Layer> MakeRepeat(AttributeReader& reader) {
  return std::make_unique<Repeat>(reader);
}

std::unique_ptr<const Layer> MakeRepeatInterleave(AttributeReader& reader) {
  return std::make_unique<RepeatInterleave>(reader);
}

}  // namespace lazynet::nn
