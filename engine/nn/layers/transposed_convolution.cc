#include "engine/nn/layers/transposed_convolution.h"

#include <algorithm>
#include <optional>

#include "engine/nn/spatial.h"

namespace lazynet::nn {
namespace {

using backend::AxisVector;

class TransposedConvolution : public Layer {
 public:
  TransposedConvolution(int axes, AttributeReader& reader)
      : axes_(axes),
        out_channels_(reader.RequiredInt("out_channels", 1)),
        kernel_(reader.RequiredPerAxis("kernel_size", axes, 1)),
        output_padding_(reader.PerAxis("output_padding", axes, 0, 0)),
        bias_(reader.Bool("bias", true)) {
    const std::string padding_mode = reader.String("padding_mode", "zeros");
    reader.Require(padding_mode == "zeros",
                   fmt::format("argument padding_mode wants zeros, got {}", padding_mode));
    op_.strides = reader.PerAxis("stride", axes, 1, 1);
    op_.dilations = reader.PerAxis("dilation", axes, 1, 1);
    op_.padding = reader.PerAxis("padding", axes, 0, 0);
    const int64_t groups = reader.Int("groups", 1);
    reader.Require(groups >= 1, fmt::format("argument groups wants at least 1, got {}", groups));
    op_.groups = std::max<int64_t>(groups, 1);
    reader.Require(out_channels_ % op_.groups == 0,
                   fmt::format("out_channels {} wants to be divisible by groups {}", out_channels_,
                               op_.groups));
    for (size_t i = 0; i < kernel_.size(); ++i) {
      const int64_t limit = std::max(op_.strides[i], op_.dilations[i]);
      reader.Require(output_padding_[i] < limit,
                     fmt::format("argument output_padding wants less than the larger of stride and "
                                 "dilation, {}, got {}",
                                 limit, output_padding_[i]));
    }
    const std::optional<int64_t> in_channels = reader.Size("in_channels");
    reader.Require(!in_channels || *in_channels % op_.groups == 0,
                   fmt::format("in_channels {} wants to be divisible by groups {}",
                               in_channels.value_or(0), op_.groups));
    const int size = AddSize("in_channels", in_channels);
    ParameterSpec weight{.name = "weight",
                         .extents = {Extent::OfSize(size), Extent::Of(out_channels_ / op_.groups)},
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
    const AxisVector spatial = OutputSpatial(input);
    for (int64_t size : spatial) {
      if (size < 1) {
        return InvalidArgument("wants an output of at least 1, got {} from shape {}", size,
                               input.ToString());
      }
    }
    return WithSpatial(input, axes_, out_channels_, spatial);
  }

  backend::ValueId Lower(Lowering& lowering) const override {
    const auto src = Batched(lowering, lowering.input(0), axes_);
    const Shape input = lowering.shape(src);
    const auto dst = lowering.Add(
        op_, {src, lowering.Parameter(0), bias_ ? lowering.Parameter(1) : backend::kNoValue},
        WithSpatial(input, axes_, out_channels_, OutputSpatial(input)));
    return Unbatched(lowering, dst, axes_);
  }

  std::string Arguments(const Sizes& sizes) const override {
    std::string text = fmt::format("{}, {}, kernel_size={}, stride={}", ReprSize(sizes, 0),
                                   out_channels_, Tuple(kernel_), Tuple(op_.strides));
    const auto differs = [](const AxisVector& values, int64_t usual) {
      return std::any_of(values.begin(), values.end(), [&](int64_t v) { return v != usual; });
    };
    if (differs(op_.padding, 0)) text += fmt::format(", padding={}", Tuple(op_.padding));
    if (differs(op_.dilations, 1)) text += fmt::format(", dilation={}", Tuple(op_.dilations));
    if (differs(output_padding_, 0)) {
      text += fmt::format(", output_padding={}", Tuple(output_padding_));
    }
    if (op_.groups != 1) text += fmt::format(", groups={}", op_.groups);
    if (!bias_) text += ", bias=False";
    return text;
  }

 private:
  // (L - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
  AxisVector OutputSpatial(const Shape& input) const {
    AxisVector spatial;
    for (int i = 0; i < axes_; ++i) {
      const auto at = static_cast<size_t>(i);
      spatial.push_back((input.dim(i - axes_) - 1) * op_.strides[at] - 2 * op_.padding[at] +
                        op_.dilations[at] * (kernel_[at] - 1) + output_padding_[at] + 1);
    }
    return spatial;
  }

  int axes_;
  int64_t out_channels_;
  AxisVector kernel_;
  AxisVector output_padding_;
  bool bias_;
  backend::Deconvolution op_;
};

}  // namespace

std::unique_ptr<const Layer> MakeTransposedConvolution(int axes, AttributeReader& reader) {
  return std::make_unique<TransposedConvolution>(axes, reader);
}

}  // namespace lazynet::nn
