#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Both promote the dtypes of their inputs to a common one.

// Concat(dim=0) of one or more inputs whose shapes agree but for dim, as torch.cat. Vectors of no
// elements are skipped, whatever the shape of the others.
std::unique_ptr<const Layer> MakeConcat(AttributeReader& reader);

// Stack(dim=0) of one or more inputs of equal shapes along a new dim.
std::unique_ptr<const Layer> MakeStack(AttributeReader& reader);

}  // namespace lazynet::nn
