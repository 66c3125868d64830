#include "engine/nn/layers/convolution.h"

#include <algorithm>
#include <optional>
#include <string>

#include "engine/nn/layers/convolution_base.h"
#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;

class Convolution : public ConvolutionBase {
 public:
  Convolution(int axes, AttributeReader& reader)
      : ConvolutionBase(axes, WeightLayout::kOutputFirst, reader),
        auto_padding_(reader.String("auto_padding", "")),
        padding_mode_(reader.String("padding_mode", "zeros")),
        op_{.strides = strides(), .dilations = dilations()} {
    op_.padding_l = op_.padding_r = reader.PerAxis("padding", axes, 0, 0);
    ReadPaddingMode(reader);
    ReadAutoPadding(reader);
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    RETURN_IF_ERROR(InferChannels(input, sizes));
    AxisVector spatial;
    for (int i = 0; i < axes(); ++i) {
      const auto at = static_cast<size_t>(i);
      const int64_t size = input.dim(i - axes());
      RETURN_IF_ERROR(CheckPadding(size, at));
      ASSIGN_OR_RETURN(const int64_t count,
                       WindowCount(size, op_.padding_l[at] + op_.padding_r[at], kernel()[at],
                                   op_.dilations[at], op_.strides[at]));
      spatial.push_back(count);
    }
    if (pad_mode_) RETURN_IF_ERROR(CheckPartialBounds(Padded(input).dims()));
    return WithSpatial(input, axes(), out_channels(), spatial);
  }

  OutputValues Lower(Lowering& lowering) const override {
    backend::ValueId src = Batched(lowering, lowering.input(0), axes());
    backend::Convolution op = op_;
    op.groups = groups(lowering.shape(src));
    if (pad_mode_) {
      src = LowerPadding(lowering, src);
      op.padding_l = op.padding_r = AxisVector(static_cast<size_t>(axes()), 0);
    }
    const Shape padded = lowering.shape(src);
    AxisVector spatial;
    for (int i = 0; i < axes(); ++i) {
      const auto at = static_cast<size_t>(i);
      spatial.push_back(backend::WindowCount(padded.dim(i - axes()),
                                             op.padding_l[at] + op.padding_r[at], kernel()[at],
                                             op.dilations[at], op.strides[at]));
    }
    const auto dst = lowering.Add(op, OpInputs(lowering, src),
                                  WithSpatial(padded, axes(), out_channels(), spatial));
    return Unbatched(lowering, dst, axes());
  }

  std::string Arguments(const Sizes& sizes) const override {
    const std::string padding = auto_padding_.empty() ? Unless(0, "padding", op_.padding_l)
                                                      : fmt::format(", padding={}", auto_padding_);
    std::string text = ArgumentsWith(sizes, padding, "");
    if (padding_mode_ != "zeros") text += fmt::format(", padding_mode={}", padding_mode_);
    return text;
  }

 private:
  void ReadPaddingMode(AttributeReader& reader) {
    if (padding_mode_ == "reflect") pad_mode_ = backend::Pad::Mode::kReflect;
    if (padding_mode_ == "replicate") pad_mode_ = backend::Pad::Mode::kReplicate;
    if (padding_mode_ == "circular") pad_mode_ = backend::Pad::Mode::kCircular;
    reader.Require(pad_mode_ || padding_mode_ == "zeros",
                   fmt::format("argument padding_mode wants zeros, reflect, replicate or circular, "
                               "got {}",
                               padding_mode_));
  }

  // PyTorch's rule: the total dilation (kernel - 1) is split, the odd one goes to the far end.
  void ReadAutoPadding(AttributeReader& reader) {
    if (auto_padding_.empty()) return;
    reader.Require(!reader.Has("padding"), "wants padding or auto_padding, got both");
    reader.Require(auto_padding_ == "same" || auto_padding_ == "valid",
                   fmt::format("argument auto_padding wants same or valid, got {}", auto_padding_));
    if (auto_padding_ != "same") return;
    for (size_t i = 0; i < kernel().size(); ++i) {
      reader.Require(op_.strides[i] == 1,
                     fmt::format("auto_padding same wants stride 1, got {}", op_.strides[i]));
      const int64_t total = op_.dilations[i] * (kernel()[i] - 1);
      op_.padding_l[i] = total / 2;
      op_.padding_r[i] = total - total / 2;
    }
  }

  absl::Status CheckPadding(int64_t size, size_t axis) const {
    if (!pad_mode_ || size == kUnknownDim) return absl::OkStatus();
    const int64_t pad = std::max(op_.padding_l[axis], op_.padding_r[axis]);
    if (*pad_mode_ == backend::Pad::Mode::kReflect && pad >= size) {
      return InvalidArgument("padding_mode reflect wants padding {} below the input's size {}", pad,
                             size);
    }
    if (*pad_mode_ == backend::Pad::Mode::kCircular && pad > size) {
      return InvalidArgument("padding_mode circular wants padding {} within the input's size {}",
                             pad, size);
    }
    return absl::OkStatus();
  }

  backend::ValueId LowerPadding(Lowering& lowering, backend::ValueId src) const {
    backend::Pad pad{.mode = *pad_mode_, .before = {0, 0}, .after = {0, 0}};
    pad.before.insert(pad.before.end(), op_.padding_l.begin(), op_.padding_l.end());
    pad.after.insert(pad.after.end(), op_.padding_r.begin(), op_.padding_r.end());
    return lowering.Add(pad, {src}, Padded(lowering.shape(src)));
  }

  Shape Padded(Shape shape) const {
    for (int i = 0; i < axes(); ++i) {
      const auto at = static_cast<size_t>(i);
      const int64_t size = shape.dim(i - axes());
      if (size == kUnknownDim) continue;
      shape.set_dim(i - axes(), size + op_.padding_l[at] + op_.padding_r[at]);
    }
    return shape;
  }

  std::string auto_padding_;
  std::string padding_mode_;
  backend::Convolution op_;
  std::optional<backend::Pad::Mode> pad_mode_;
};

}  // namespace

std::unique_ptr<const Layer> MakeConvolution(int axes, AttributeReader& reader) {
  return std::make_unique<Convolution>(axes, reader);
}

}  // namespace lazynet::nn
