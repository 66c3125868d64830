#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// GroupNorm(num_groups, num_channels, eps=1e-5, affine=True): [N, C, ...], shape kept. Lazy
// num_channels: dim 1.
std::unique_ptr<const Layer> MakeGroupNorm(AttributeReader& reader);

}  // namespace lazynet::nn
