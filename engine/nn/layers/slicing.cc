#include "engine/nn/layers/slicing.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

std::string TextOf(const std::optional<DimExpression>& expression) {
  return expression ? expression->text() : "None";
}

class Slice : public SizedShapeLayer {
 public:
  explicit Slice(AttributeReader& reader)
      : dim_(reader.Int("dim", 0)),
        start_(reader.Expression("start")),
        end_(reader.Expression("end")),
        step_(reader.Int("step", 1)) {
    reader.Require(step_ >= 1 && step_ <= kMaxDim,
                   fmt::format("argument step wants 1 to {}, got {}", kMaxDim, step_));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(CheckNoScalar(inputs[0]));
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim_, inputs[0]));
    ASSIGN_OR_RETURN(const Range range, RangeOf(inputs, axis));
    Shape output = inputs[0];
    output.set_dim(axis, range.size);
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const std::vector<Shape> inputs = InputShapes(lowering);
    const int axis = *AxisOf(dim_, inputs[0]);
    const Range range = *RangeOf(inputs, axis);
    return SliceAxis(lowering, lowering.input(0), axis, range.begin, range.size, step_);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dim={}, start={}, end={}, step={}", dim_, TextOf(start_), TextOf(end_),
                       step_);
  }

 private:
  struct Range {
    int64_t begin = 0;
    int64_t size = kUnknownDim;
  };

  // Python's: negative ones count from the end, what is outside is moved to the border.
  absl::StatusOr<Range> RangeOf(std::span<const Shape> inputs, int axis) const {
    Size start = 0;
    Size end = kMaxDim;
    if (start_) {
      ASSIGN_OR_RETURN(start, start_->Evaluate(inputs));
    }
    if (end_) {
      ASSIGN_OR_RETURN(end, end_->Evaluate(inputs));
    }
    const int64_t size = inputs[0].dim(axis);
    if (size == kUnknownDim || !start || !end) return Range();
    const auto place = [&](int64_t index) {
      return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size);
    };
    const int64_t begin = place(*start);
    const int64_t taken = std::max<int64_t>(place(*end) - begin, 0);
    return Range{begin, (taken + step_ - 1) / step_};
  }

  int64_t dim_;
  std::optional<DimExpression> start_;
  std::optional<DimExpression> end_;
  int64_t step_;
};

class Select : public SizedShapeLayer {
 public:
  explicit Select(AttributeReader& reader)
      : dim_(reader.Int("dim", 0)), index_(reader.Expression("index")) {
    reader.Require(reader.Has("dim"), "argument dim is missing");
    reader.Require(index_.has_value(), "argument index is missing");
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(CheckNoScalar(inputs[0]));
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim_, inputs[0]));
    ASSIGN_OR_RETURN(const Size index, index_->Evaluate(inputs));
    const int64_t size = inputs[0].dim(axis);
    if (size != kUnknownDim && index && (*index < -size || *index >= size)) {
      return InvalidArgument("wants a dim {} that has index {}, got shape {}", dim_, *index,
                             inputs[0].ToString());
    }
    return WithoutAxis(inputs[0], axis);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const std::vector<Shape> inputs = InputShapes(lowering);
    const int axis = *AxisOf(dim_, inputs[0]);
    const int64_t index = **index_->Evaluate(inputs);
    const int64_t begin = index < 0 ? index + inputs[0].dim(axis) : index;
    const auto slice = SliceAxis(lowering, lowering.input(0), axis, begin, 1);
    return lowering.Reshape(slice, WithoutAxis(inputs[0], axis));
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dim={}, index={}", dim_, TextOf(index_));
  }

 private:
  int64_t dim_;
  std::optional<DimExpression> index_;
};

class Flip : public ShapeLayer {
 public:
  explicit Flip(AttributeReader& reader) : dims_(reader.Axes("dims")) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(DistinctAxes(dims_, inputs[0]).status());
    return inputs[0];
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    const Shape shape = lowering.shape(src);
    const auto rank = static_cast<size_t>(shape.rank());
    backend::Slice op{.begin = backend::AxisVector(rank, 0), .step = backend::AxisVector(rank, 1)};
    bool flips = false;
    const std::vector<int> axes = *DistinctAxes(dims_, shape);
    for (const int axis : axes) {
      if (shape.rank() == 0 || shape.dim(axis) <= 1) continue;
      op.begin[static_cast<size_t>(axis)] = shape.dim(axis) - 1;
      op.step[static_cast<size_t>(axis)] = -1;
      flips = true;
    }
    return flips ? lowering.Add(std::move(op), {src}, shape) : src;
  }

  std::string Arguments(const Sizes&) const override { return "dims=" + Tuple(dims_); }

 private:
  std::vector<int64_t> dims_;
};

class Roll : public ShapeLayer {
 public:
  explicit Roll(AttributeReader& reader)
      : shifts_(reader.Ints("shifts")), dims_(reader.Axes("dims")) {
    const size_t wanted = dims_.empty() ? 1 : dims_.size();
    reader.Require(shifts_.size() == wanted,
                   fmt::format("argument shifts wants a number for each dim, {}, got {}", wanted,
                               shifts_.size()));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    for (const int64_t dim : dims_) RETURN_IF_ERROR(AxisOf(dim, inputs[0]).status());
    if (!dims_.empty()) RETURN_IF_ERROR(CheckNoScalar(inputs[0]));
    return inputs[0];
  }

  OutputValues Lower(Lowering& lowering) const override {
    auto value = lowering.input(0);
    const Shape shape = lowering.shape(value);
    if (shape.num_elements() == 0) return value;
    if (dims_.empty()) {
      value = lowering.Reshape(value, Shape{shape.num_elements()});
      return lowering.Reshape(RollAxis(lowering, value, 0, shifts_[0]), shape);
    }
    for (size_t i = 0; i < dims_.size(); ++i) {
      value = RollAxis(lowering, value, *AxisOf(dims_[i], shape), shifts_[i]);
    }
    return value;
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("shifts={}, dims={}", Tuple(shifts_), Tuple(dims_));
  }

 private:
  static backend::ValueId RollAxis(Lowering& lowering, backend::ValueId value, int axis,
                                   int64_t shift) {
    const Shape shape = lowering.shape(value);
    const int64_t size = shape.dim(axis);
    const int64_t front = (shift % size + size) % size;  // how many come from the end
    if (front == 0) return value;
    const auto last = SliceAxis(lowering, value, axis, size - front, front);
    const auto first = SliceAxis(lowering, value, axis, 0, size - front);
    return lowering.Add(backend::Concat{.axis = axis}, {last, first}, shape);
  }

  std::vector<int64_t> shifts_;
  std::vector<int64_t> dims_;
};

}  // namespace

std::unique_ptr<const Layer> MakeSlice(AttributeReader& reader) {
  return std::make_unique<Slice>(reader);
}

std::unique_ptr<const Layer> MakeSelect(AttributeReader& reader) {
  return std::make_unique<Select>(reader);
}

std::unique_ptr<const Layer> MakeFlip(AttributeReader& reader) {
  return std::make_unique<Flip>(reader);
}

std::unique_ptr<const Layer> MakeRoll(AttributeReader& reader) {
  return std::make_unique<Roll>(reader);
}

}  // namespace lazynet::nn
