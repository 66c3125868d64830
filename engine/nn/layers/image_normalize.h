#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// [..., C, H, W] of any integer or floating dtype -> the same shape in the layer's dtype: (x scale
// - mean[c]) / std[c]. Without a scale UINT8 is divided by 255, as torchvision's ToTensor does.
std::unique_ptr<const Layer> MakeImageNormalize(AttributeReader& reader);

}  // namespace lazynet::nn
