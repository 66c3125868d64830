#include "engine/nn/layers/patches.h"

#include "engine/nn/dims.h"
#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;

// The arguments that both have, as either op takes them.
template <typename Op>
Op ReadPatches(AttributeReader& reader) {
  return {.kernel = reader.RequiredPerAxis("kernel_size", 2, 1),
          .strides = reader.PerAxis("stride", 2, 1, 1),
          .dilations = reader.PerAxis("dilation", 2, 1, 1),
          .padding = reader.PerAxis("padding", 2, 0, 0)};
}

template <typename Op>
std::string PatchArguments(const Op& op) {
  return fmt::format("kernel_size={}, dilation={}, padding={}, stride={}", Tuple(op.kernel),
                     Tuple(op.dilations), Tuple(op.padding), Tuple(op.strides));
}

// How many windows an image of [height, width] has; kUnknownDim where a size is.
template <typename Op>
absl::StatusOr<int64_t> Windows(const Op& op, int64_t height, int64_t width) {
  int64_t count = 1;
  for (size_t i = 0; i < 2; ++i) {
    ASSIGN_OR_RETURN(const int64_t along,
                     WindowCount(i == 0 ? height : width, 2 * op.padding[i], op.kernel[i],
                                 op.dilations[i], op.strides[i]));
    RETURN_IF_ERROR(CheckPartialBounds(std::span(&along, 1)));
    count = count == kUnknownDim || along == kUnknownDim ? kUnknownDim : count * along;
  }
  return count;
}

class Unfold : public Layer {
 public:
  explicit Unfold(AttributeReader& reader) : op_(ReadPatches<backend::Unfold>(reader)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    RETURN_IF_ERROR(CheckSpatialInput(inputs[0], 2));
    return Output(inputs[0]);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto src = Batched(lowering, lowering.input(0), 2);
    return Unbatched(lowering, lowering.Add(op_, {src}, *Output(lowering.shape(src))), 2);
  }

  std::string Arguments(const Sizes&) const override { return PatchArguments(op_); }

 private:
  absl::StatusOr<Shape> Output(const Shape& input) const {
    ASSIGN_OR_RETURN(const int64_t windows, Windows(op_, input.dim(-2), input.dim(-1)));
    Shape::Dims dims(input.dims().begin(), input.dims().end() - 3);
    const int64_t channels = TimesDim(input.dim(-3), op_.kernel[0]);
    RETURN_IF_ERROR(CheckPartialBounds(std::span(&channels, 1)));
    dims.push_back(TimesDim(channels, op_.kernel[1]));
    dims.push_back(windows);
    RETURN_IF_ERROR(CheckPartialBounds(dims));
    return Shape(std::move(dims));
  }

  backend::Unfold op_;
};

class Fold : public Layer {
 public:
  explicit Fold(AttributeReader& reader)
      : output_size_(reader.RequiredPerAxis("output_size", 2, 1)),
        op_(ReadPatches<backend::Fold>(reader)) {}

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    // First, since they depend on the arguments alone.
    ASSIGN_OR_RETURN(const int64_t windows, Windows(op_, output_size_[0], output_size_[1]));
    const Shape& input = inputs[0];
    if (input.rank() != 2 && input.rank() != 3) {
      return InvalidArgument("wants a rank of 2 (unbatched) or 3, got shape {}", input.ToString());
    }
    const int64_t taps = op_.kernel[0] * op_.kernel[1];
    const int64_t rows = input.dim(-2);
    if (rows != kUnknownDim && (rows == 0 || rows % taps != 0)) {
      return InvalidArgument("wants a dim -2 divisible by the kernel's {} elements, got shape {}",
                             taps, input.ToString());
    }
    if (input.dim(-1) != kUnknownDim && input.dim(-1) != windows) {
      return InvalidArgument("wants {} windows, got shape {}", windows, input.ToString());
    }
    const Shape output = Output(input);
    RETURN_IF_ERROR(CheckPartialBounds(output.dims()));
    return output;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const auto input = lowering.input(0);
    const Shape shape = lowering.shape(input);
    if (shape.rank() == 3) return lowering.Add(op_, {input}, Output(shape));
    const Shape batched{1, shape.dim(0), shape.dim(1)};
    const auto image = lowering.Add(op_, {lowering.Reshape(input, batched)}, Output(batched));
    return lowering.Reshape(image, Output(shape));
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("output_size={}, {}", Tuple(output_size_), PatchArguments(op_));
  }

 private:
  Shape Output(const Shape& input) const {
    Shape::Dims dims(input.dims().begin(), input.dims().end() - 2);
    const int64_t rows = input.dim(-2);
    const int64_t taps = op_.kernel[0] * op_.kernel[1];
    dims.push_back(rows == kUnknownDim ? kUnknownDim : rows / taps);
    dims.insert(dims.end(), output_size_.begin(), output_size_.end());
    return Shape(std::move(dims));
  }

  AxisVector output_size_;
  backend::Fold op_;
};

}  // namespace

std::unique_ptr<const Layer> MakeUnfold(AttributeReader& reader) {
  return std::make_unique<Unfold>(reader);
}

std::unique_ptr<const Layer> MakeFold(AttributeReader& reader) {
  return std::make_unique<Fold>(reader);
}

}  // namespace lazynet::nn
