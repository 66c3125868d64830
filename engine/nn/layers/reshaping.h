#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers that see the same elements in another shape.

// Reshape(shape): torch.reshape; shape is expressions, one of which may be -1.
std::unique_ptr<const Layer> MakeReshape(AttributeReader& reader);

// Unflatten(dim, unflattened_size): one dim becomes several, as Reshape.
std::unique_ptr<const Layer> MakeUnflatten(AttributeReader& reader);

// Squeeze(dim): drops those of the dims that are of size 1. A dim whose size is unknown counts as
// one of size 1.
std::unique_ptr<const Layer> MakeSqueeze(AttributeReader& reader);

// Unsqueeze(dim): a new dim of size 1; dim is one of the result.
std::unique_ptr<const Layer> MakeUnsqueeze(AttributeReader& reader);

}  // namespace lazynet::nn
