#include "engine/nn/layers/convolution.h"

#include <algorithm>
#include <optional>
#include <string>

#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;

class Convolution : public Layer {
 public:
  Convolution(int axes, AttributeReader& reader)
      : axes_(axes),
        out_channels_(reader.RequiredInt("out_channels", 1)),
        kernel_(reader.RequiredPerAxis("kernel_size", axes, 1)),
        auto_padding_(reader.String("auto_padding", "")),
        padding_mode_(reader.String("padding_mode", "zeros")),
        bias_(reader.Bool("bias", true)) {
    op_.strides = reader.PerAxis("stride", axes, 1, 1);
    op_.dilations = reader.PerAxis("dilation", axes, 1, 1);
    op_.groups = std::max<int64_t>(reader.Int("groups", 1), 1);
    op_.padding_l = op_.padding_r = reader.PerAxis("padding", axes, 0, 0);
    reader.Require(
        reader.Int("groups", 1) >= 1,
        fmt::format("argument groups wants at least 1, got {}", reader.Int("groups", 1)));
    reader.Require(out_channels_ % op_.groups == 0,
                   fmt::format("out_channels {} wants to be divisible by groups {}", out_channels_,
                               op_.groups));
    ReadPaddingMode(reader);
    ReadAutoPadding(reader);

    const std::optional<int64_t> in_channels = reader.Size("in_channels");
    reader.Require(!in_channels || *in_channels % op_.groups == 0,
                   fmt::format("in_channels {} wants to be divisible by groups {}",
                               in_channels.value_or(0), op_.groups));
    const int size = AddSize("in_channels", in_channels);
    ParameterSpec weight{.name = "weight",
                         .extents = {Extent::Of(out_channels_), Extent::OfSize(size, op_.groups)},
                         .initial = {.kind = InitialValue::Kind::kKaimingUniform}};
    for (int64_t extent : kernel_) weight.extents.push_back(Extent::Of(extent));
    AddParameter(std::move(weight));
    if (bias_) {
      AddParameter({.name = "bias",
                    .extents = {Extent::Of(out_channels_)},
                    .initial = {.kind = InitialValue::Kind::kFanInUniform}});
    }
  }

  absl::StatusOr<Shape> Infer(std::span<const Shape> inputs, Sizes& sizes) const override {
    const Shape& input = inputs[0];
    RETURN_IF_ERROR(CheckSpatialInput(input, axes_));
    const int64_t channels = input.dim(ChannelAxis(axes_));
    RETURN_IF_ERROR(Resolve(0, channels, sizes));
    if (channels % op_.groups != 0) {
      return InvalidArgument("wants in_channels divisible by groups {}, got {}", op_.groups,
                             channels);
    }
    AxisVector spatial;
    for (int i = 0; i < axes_; ++i) {
      const auto at = static_cast<size_t>(i);
      const int64_t size = input.dim(i - axes_);
      RETURN_IF_ERROR(CheckPadding(size, at));
      ASSIGN_OR_RETURN(const int64_t count,
                       WindowCount(size, op_.padding_l[at] + op_.padding_r[at], kernel_[at],
                                   op_.dilations[at], op_.strides[at]));
      spatial.push_back(count);
    }
    if (pad_mode_) RETURN_IF_ERROR(CheckBounds(Padded(input).dims()));
    return WithSpatial(input, axes_, out_channels_, spatial);
  }

  backend::ValueId Lower(Lowering& lowering) const override {
    backend::ValueId src = Batched(lowering, lowering.input(0), axes_);
    backend::Convolution op = op_;
    if (pad_mode_) {
      src = LowerPadding(lowering, src);
      op.padding_l = op.padding_r = AxisVector(static_cast<size_t>(axes_), 0);
    }
    const Shape padded = lowering.shape(src);
    AxisVector spatial;
    for (int i = 0; i < axes_; ++i) {
      const auto at = static_cast<size_t>(i);
      spatial.push_back((padded.dim(i - axes_) + op.padding_l[at] + op.padding_r[at] -
                         op.dilations[at] * (kernel_[at] - 1) - 1) /
                            op.strides[at] +
                        1);
    }
    const auto dst = lowering.Add(
        op, {src, lowering.Parameter(0), bias_ ? lowering.Parameter(1) : backend::kNoValue},
        WithSpatial(padded, axes_, out_channels_, spatial));
    return Unbatched(lowering, dst, axes_);
  }

  std::string Arguments(const Sizes& sizes) const override {
    std::string text = fmt::format("{}, {}, kernel_size={}, stride={}", ReprSize(sizes, 0),
                                   out_channels_, Tuple(kernel_), Tuple(op_.strides));
    const auto differs = [](const AxisVector& values, int64_t usual) {
      return std::any_of(values.begin(), values.end(), [&](int64_t v) { return v != usual; });
    };
    if (!auto_padding_.empty()) {
      text += fmt::format(", padding={}", auto_padding_);
    } else if (differs(op_.padding_l, 0)) {
      text += fmt::format(", padding={}", Tuple(op_.padding_l));
    }
    if (differs(op_.dilations, 1)) text += fmt::format(", dilation={}", Tuple(op_.dilations));
    if (op_.groups != 1) text += fmt::format(", groups={}", op_.groups);
    if (!bias_) text += ", bias=False";
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
    for (size_t i = 0; i < kernel_.size(); ++i) {
      reader.Require(op_.strides[i] == 1,
                     fmt::format("auto_padding same wants stride 1, got {}", op_.strides[i]));
      const int64_t total = op_.dilations[i] * (kernel_[i] - 1);
      op_.padding_l[i] = total / 2;
      op_.padding_r[i] = total - total / 2;
    }
  }

  absl::Status CheckPadding(int64_t size, size_t axis) const {
    if (!pad_mode_) return absl::OkStatus();
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
    for (int i = 0; i < axes_; ++i) {
      const auto at = static_cast<size_t>(i);
      shape.set_dim(i - axes_, shape.dim(i - axes_) + op_.padding_l[at] + op_.padding_r[at]);
    }
    return shape;
  }

  int axes_;
  int64_t out_channels_;
  AxisVector kernel_;
  std::string auto_padding_;
  std::string padding_mode_;
  bool bias_;
  backend::Convolution op_;
  std::optional<backend::Pad::Mode> pad_mode_;
};

}  // namespace

std::unique_ptr<const Layer> MakeConvolution(int axes, AttributeReader& reader) {
  return std::make_unique<Convolution>(axes, reader);
}

}  // namespace lazynet::nn
