#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers that put elements in another order by exchanging axes.

// Permute(dims): axis i of the output is axis dims[i] of the input.
std::unique_ptr<const Layer> MakePermute(AttributeReader& reader);

// Transpose(dim0, dim1).
std::unique_ptr<const Layer> MakeTranspose(AttributeReader& reader);

// PixelShuffle(upscale_factor): (*, C r r, H, W) -> (*, C, H r, W r), and PixelUnshuffle, its
// inverse.
std::unique_ptr<const Layer> MakePixelShuffle(AttributeReader& reader);
std::unique_ptr<const Layer> MakePixelUnshuffle(AttributeReader& reader);

// ChannelShuffle(groups): (N, C, *) as (N, groups, C / groups, *) with the two exchanged.
std::unique_ptr<const Layer> MakeChannelShuffle(AttributeReader& reader);

}  // namespace lazynet::nn
