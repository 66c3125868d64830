#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// LayerNorm(normalized_shape, eps=1e-5, elementwise_affine=True, bias=True) over the trailing dims.
// A dim of -1 is lazy; left out, normalized_shape is one such dim.
std::unique_ptr<const Layer> MakeLayerNorm(AttributeReader& reader);

// RMSNorm(normalized_shape, eps=None, elementwise_affine=True): x / sqrt(mean(x^2) + eps) * weight;
// without eps, that of the layer's dtype.
std::unique_ptr<const Layer> MakeRmsNorm(AttributeReader& reader);

}  // namespace lazynet::nn
