#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// LocalResponseNorm(size, alpha=1e-4, beta=0.75, k=1) over the channels of [N, C, *].
std::unique_ptr<const Layer> MakeLocalResponseNorm(AttributeReader& reader);

}  // namespace lazynet::nn
