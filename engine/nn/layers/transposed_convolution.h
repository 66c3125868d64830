#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// ConvTranspose{1,2,3}d(in_channels, out_channels, kernel_size, stride=1, padding=0,
// output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros'). Lazy in_channels: the
// channel axis.
std::unique_ptr<const Layer> MakeTransposedConvolution(int axes, AttributeReader& reader);

}  // namespace lazynet::nn
