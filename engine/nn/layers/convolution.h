#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Conv{1,2,3}d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
// bias=True, padding_mode='zeros'). auto_padding "same" | "valid" is PyTorch's padding given as a
// string. Lazy in_channels: the channel axis.
std::unique_ptr<const Layer> MakeConvolution(int axes, AttributeReader& reader);

}  // namespace lazynet::nn
