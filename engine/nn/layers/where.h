#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Inputs condition (BOOL or UINT8), then input and other, for each of which the argument of its
// name stands in -> condition ? input : other, of the shape that all broadcast to and the promoted
// dtype of both.
std::unique_ptr<const Layer> MakeWhere(AttributeReader& reader);

// Inputs x and mask (BOOL or UINT8) -> mask ? value : x, of x's dtype, which must hold the value.
std::unique_ptr<const Layer> MakeMaskedFill(AttributeReader& reader);

}  // namespace lazynet::nn
