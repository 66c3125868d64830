#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Linear(in_features, out_features, bias=True): [..., in] -> [..., out], y = x W^T + b.
// Lazy in_features: the last dim.
std::unique_ptr<const Layer> MakeLinear(AttributeReader& reader);

}  // namespace lazynet::nn
