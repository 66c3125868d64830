#include "engine/nn/layers/convolution_base.h"

#include <algorithm>
#include <utility>

#include "engine/nn/spatial.h"

namespace lazynet::nn {

ConvolutionBase::ConvolutionBase(int axes, WeightLayout layout, AttributeReader& reader)
    : axes_(axes),
      out_channels_(reader.RequiredInt("out_channels", 1)),
      groups_(reader.SizeOrInput("groups", 1)),
      kernel_(reader.RequiredPerAxis("kernel_size", axes, 1)),
      strides_(reader.PerAxis("stride", axes, 1, 1)),
      dilations_(reader.PerAxis("dilation", axes, 1, 1)),
      bias_(reader.Bool("bias", true)) {
  const std::optional<int64_t> in_channels = reader.Size("in_channels");
  if (!groups_) groups_ = in_channels;
  reader.Require(!groups_ || out_channels_ % *groups_ == 0,
                 fmt::format("out_channels {} wants to be divisible by groups {}", out_channels_,
                             groups_.value_or(0)));
  reader.Require(!in_channels || *in_channels % *groups_ == 0,
                 fmt::format("in_channels {} wants to be divisible by groups {}",
                             in_channels.value_or(0), groups_.value_or(0)));
  reader.Require(groups_ || layout == WeightLayout::kOutputFirst,
                 "argument groups wants a number where the convolution is transposed, got "
                 "IN_CHANNELS");
  const int size = AddSize("in_channels", in_channels);
  ParameterSpec weight{.name = "weight", .initial = {.kind = InitialValue::Kind::kKaimingUniform}};
  if (layout == WeightLayout::kOutputFirst) {
    weight.extents = {Extent::Of(out_channels_),
                      groups_ ? Extent::OfSize(size, *groups_) : Extent::Of(1)};
  } else {
    weight.extents = {Extent::OfSize(size), Extent::Of(out_channels_ / groups_.value_or(1))};
  }
  for (const int64_t extent : kernel_) weight.extents.push_back(Extent::Of(extent));
  AddParameter(std::move(weight));
  if (bias_) {
    AddParameter({.name = "bias",
                  .extents = {Extent::Of(out_channels_)},
                  .initial = {.kind = InitialValue::Kind::kFanInUniform}});
  }
}

absl::Status ConvolutionBase::InferChannels(const Shape& input, Sizes& sizes) const {
  RETURN_IF_ERROR(CheckSpatialInput(input, axes_));
  const int64_t channels = input.dim(ChannelAxis(axes_));
  RETURN_IF_ERROR(Resolve(0, channels, sizes));
  if (channels == kUnknownDim) return absl::OkStatus();
  if (!groups_ && out_channels_ % channels != 0) {
    return InvalidArgument("wants in_channels (and groups) that divide out_channels {}, got {}",
                           out_channels_, channels);
  }
  if (channels % groups(input) == 0) return absl::OkStatus();
  return InvalidArgument("wants in_channels divisible by groups {}, got {}", *groups_, channels);
}

int64_t ConvolutionBase::groups(const Shape& input) const {
  return groups_.value_or(input.dim(ChannelAxis(axes_)));
}

std::vector<backend::ValueId> ConvolutionBase::OpInputs(Lowering& lowering,
                                                        backend::ValueId src) const {
  const auto weight = lowering.Parameter(0);
  return {src, weight, bias_ ? lowering.Parameter(1) : backend::kNoValue};
}

std::string ConvolutionBase::Unless(int64_t usual, std::string_view name,
                                    const backend::AxisVector& values) {
  const bool differs =
      std::any_of(values.begin(), values.end(), [&](int64_t value) { return value != usual; });
  return differs ? fmt::format(", {}={}", name, Tuple(values)) : "";
}

std::string ConvolutionBase::ArgumentsWith(const Sizes& sizes, const std::string& padding,
                                           const std::string& output_padding) const {
  return fmt::format(
      "{}, {}, kernel_size={}, stride={}{}{}{}{}{}", ReprSize(sizes, 0), out_channels_,
      Tuple(kernel_), Tuple(strides_), padding, Unless(1, "dilation", dilations_), output_padding,
      groups_ == 1 ? "" : fmt::format(", groups={}", groups_.value_or(ReprSize(sizes, 0))),
      bias_ ? "" : ", bias=False");
}

}  // namespace lazynet::nn
