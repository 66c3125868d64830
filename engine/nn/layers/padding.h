#pragma once

#include <memory>
#include <string_view>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers that put something around the last dims, or take something away where a number is
// negative. Numbers come in pairs, of the last dim first.

// {Constant,Zero,Reflection,Replication,Circular}Pad{1,2,3}d(padding); `mode` is constant, zero,
// reflect, replicate or circular.
std::unique_ptr<const Layer> MakePadding(std::string_view mode, int axes, AttributeReader& reader);

// Pad(pad, mode="constant", value=0): F.pad.
std::unique_ptr<const Layer> MakePad(AttributeReader& reader);

}  // namespace lazynet::nn
