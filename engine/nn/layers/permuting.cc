#include "engine/nn/layers/permuting.h"

#include <numeric>

#include "engine/nn/dims.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;

class Permute : public ShapeLayer {
 public:
  explicit Permute(AttributeReader& reader) : dims_(reader.Axes("dims")) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(const AxisVector order, Order(inputs[0]));
    Shape::Dims dims;
    for (const int64_t axis : order) dims.push_back(inputs[0].dim(static_cast<int>(axis)));
    return Shape(std::move(dims));
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    return PermuteAxes(lowering, src, *Order(lowering.shape(src)));
  }

  std::string Arguments(const Sizes&) const override { return "dims=" + Tuple(dims_); }

 private:
  absl::StatusOr<AxisVector> Order(const Shape& input) const {
    if (static_cast<int>(dims_.size()) != input.rank()) {
      return InvalidArgument("wants a rank of {}, got shape {}", dims_.size(), input.ToString());
    }
    ASSIGN_OR_RETURN(const std::vector<int> axes, DistinctAxes(dims_, input));
    return AxisVector(axes.begin(), axes.end());
  }

  std::vector<int64_t> dims_;
};

class Transpose : public ShapeLayer {
 public:
  explicit Transpose(AttributeReader& reader)
      : dim0_(reader.Int("dim0", 0)), dim1_(reader.Int("dim1", 0)) {
    for (const char* name : {"dim0", "dim1"}) {
      reader.Require(reader.Has(name), fmt::format("argument {} is missing", name));
    }
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    ASSIGN_OR_RETURN(const int first, AxisOf(dim0_, input));
    ASSIGN_OR_RETURN(const int second, AxisOf(dim1_, input));
    Shape output = input;
    if (first == second) return output;
    output.set_dim(first, input.dim(second));
    output.set_dim(second, input.dim(first));
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = lowering.input(0);
    const Shape& shape = lowering.shape(src);
    AxisVector order(static_cast<size_t>(shape.rank()));
    std::iota(order.begin(), order.end(), 0);
    const auto first = static_cast<size_t>(*AxisOf(dim0_, shape));
    const auto second = static_cast<size_t>(*AxisOf(dim1_, shape));
    if (first != second) std::swap(order[first], order[second]);
    return PermuteAxes(lowering, src, order);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dim0={}, dim1={}", dim0_, dim1_);
  }

 private:
  int64_t dim0_;
  int64_t dim1_;
};

absl::Status CheckDivisible(std::string_view what, int64_t size, int64_t factor) {
  if (size == kUnknownDim || size % factor == 0) return absl::OkStatus();
  return InvalidArgument("wants {} divisible by {}, got {}", what, factor, size);
}

int64_t DividedBy(int64_t size, int64_t factor) {
  return size == kUnknownDim ? kUnknownDim : size / factor;
}

absl::Status CheckRank(const Shape& input, int least) {
  if (input.rank() >= least) return absl::OkStatus();
  return InvalidArgument("wants a rank of at least {}, got shape {}", least, input.ToString());
}

// Both directions between (*, C r r, H, W) and (*, C, H r, W r).
class PixelShuffle : public ShapeLayer {
 public:
  // Factors beyond give more elements than there may be.
  static constexpr int64_t kMaxFactor = 1 << 15;

  PixelShuffle(bool inverse, AttributeReader& reader)
      : inverse_(inverse), name_(inverse ? "downscale_factor" : "upscale_factor") {
    factor_ = reader.RequiredInt(name_, 1);
    reader.Require(factor_ <= kMaxFactor,
                   fmt::format("argument {} wants at most {}, got {}", name_, kMaxFactor, factor_));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& input = inputs[0];
    RETURN_IF_ERROR(CheckRank(input, 3));
    Shape output = input;
    const int64_t square = factor_ * factor_;
    if (inverse_) {
      output.set_dim(-3, TimesDim(input.dim(-3), square));
      for (const int axis : {-2, -1}) {
        RETURN_IF_ERROR(
            CheckDivisible(axis == -2 ? "a height" : "a width", input.dim(axis), factor_));
        output.set_dim(axis, DividedBy(input.dim(axis), factor_));
      }
    } else {
      RETURN_IF_ERROR(CheckDivisible("channels", input.dim(-3), square));
      output.set_dim(-3, DividedBy(input.dim(-3), square));
      for (const int axis : {-2, -1}) output.set_dim(axis, TimesDim(input.dim(axis), factor_));
    }
    RETURN_IF_ERROR(CheckPartialBounds(output.dims()));
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape input = lowering.shape(lowering.input(0));
    Sizes sizes;
    const Shape output = Infer({&input, 1}, sizes)->front();
    const Shape& small = inverse_ ? output : input;  // with C r r channels
    const Shape& large = inverse_ ? input : output;
    int64_t images = 1;
    for (int axis = 0; axis < input.rank() - 3; ++axis) images *= input.dim(axis);
    const int64_t channels = large.dim(-3);
    const int64_t height = small.dim(-2);
    const int64_t width = small.dim(-1);
    if (inverse_) {
      const auto split = lowering.Reshape(lowering.input(0),
                                          Shape{images, channels, height, factor_, width, factor_});
      return lowering.Reshape(PermuteAxes(lowering, split, {0, 1, 3, 5, 2, 4}), output);
    }
    const auto split = lowering.Reshape(lowering.input(0),
                                        Shape{images, channels, factor_, factor_, height, width});
    return lowering.Reshape(PermuteAxes(lowering, split, {0, 1, 4, 2, 5, 3}), output);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("{}={}", name_, factor_);
  }

 private:
  bool inverse_;
  std::string name_;
  int64_t factor_;
};

class ChannelShuffle : public ShapeLayer {
 public:
  explicit ChannelShuffle(AttributeReader& reader) : groups_(reader.RequiredInt("groups", 1)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(CheckRank(inputs[0], 3));
    RETURN_IF_ERROR(CheckDivisible("channels", inputs[0].dim(1), groups_));
    return inputs[0];
  }

  OutputValues Lower(Lowering& lowering) const override {
    const Shape shape = lowering.shape(lowering.input(0));
    int64_t plane = 1;
    for (int axis = 2; axis < shape.rank(); ++axis) plane *= shape.dim(axis);
    const auto split = lowering.Reshape(
        lowering.input(0), Shape{shape.dim(0), groups_, shape.dim(1) / groups_, plane});
    return lowering.Reshape(PermuteAxes(lowering, split, {0, 2, 1, 3}), shape);
  }

  std::string Arguments(const Sizes&) const override { return fmt::format("groups={}", groups_); }

 private:
  int64_t groups_;
};

}  // namespace

std::unique_ptr<const Layer> MakePermute(AttributeReader& reader) {
  return std::make_unique<Permute>(reader);
}

std::unique_ptr<const Layer> MakeTranspose(AttributeReader& reader) {
  return std::make_unique<Transpose>(reader);
}

std::unique_ptr<const Layer> MakePixelShuffle(AttributeReader& reader) {
  return std::make_unique<PixelShuffle>(false, reader);
}

std::unique_ptr<const Layer> MakePixelUnshuffle(AttributeReader& reader) {
  return std::make_unique<PixelShuffle>(true, reader);
}

std::unique_ptr<const Layer> MakeChannelShuffle(AttributeReader& reader) {
  return std::make_unique<ChannelShuffle>(reader);
}

}  // namespace lazynet::nn
