#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Identity: the input as it is.
std::unique_ptr<const Layer> MakeIdentity(AttributeReader& reader);

// Dropout, Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout (p=0.5): the identity
// at inference. Dropout1d takes ranks 2 and 3 only, as PyTorch's does.
std::unique_ptr<const Layer> MakeDropout(bool one_dimensional, AttributeReader& reader);

}  // namespace lazynet::nn
