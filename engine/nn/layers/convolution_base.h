#pragma once

#include <optional>
#include <string>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// What Conv and ConvTranspose share: channels, kernel, groups, weight and bias, and their text.
class ConvolutionBase : public Layer {
 protected:
  // Where out_channels and in_channels stand in the weight.
  enum class WeightLayout {
    kOutputFirst,  // [out, in / groups, kernel...]
    kInputFirst,   // [in, out / groups, kernel...]
  };
  ConvolutionBase(int axes, WeightLayout layout, AttributeReader& reader);

  int axes() const { return axes_; }
  int64_t out_channels() const { return out_channels_; }

  // What was given, or for IN_CHANNELS the channels of an input.
  int64_t groups(const Shape& input) const;
  const backend::AxisVector& kernel() const { return kernel_; }
  const backend::AxisVector& strides() const { return strides_; }
  const backend::AxisVector& dilations() const { return dilations_; }

  // Checks rank, spatial sizes and channels of an input, and resolves in_channels.
  absl::Status InferChannels(const Shape& input, Sizes& sizes) const;

  // The op's inputs: src, weight, bias.
  std::vector<backend::ValueId> OpInputs(Lowering& lowering, backend::ValueId src) const;

  // "0, 4, kernel_size=(3, 3), stride=(1, 1), <padding>, dilation=..., <output padding>, ...".
  std::string ArgumentsWith(const Sizes& sizes, const std::string& padding,
                            const std::string& output_padding) const;

  // ", name=(1, 1)", or nothing where all values are the usual one.
  static std::string Unless(int64_t usual, std::string_view name,
                            const backend::AxisVector& values);

 private:
  int axes_;
  int64_t out_channels_;
  std::optional<int64_t> groups_;  // nothing: IN_CHANNELS, not known yet
  backend::AxisVector kernel_;
  backend::AxisVector strides_;
  backend::AxisVector dilations_;
  bool bias_;
};

}  // namespace lazynet::nn
