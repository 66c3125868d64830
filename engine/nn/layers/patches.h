#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Unfold(kernel_size, dilation=1, padding=0, stride=1): the patches of images, (N, C, H, W) ->
// (N, C kernel_h kernel_w, L), without N as well.
std::unique_ptr<const Layer> MakeUnfold(AttributeReader& reader);

// Fold(output_size, kernel_size, ...): images as the sums of patches, the other way.
std::unique_ptr<const Layer> MakeFold(AttributeReader& reader);

}  // namespace lazynet::nn
