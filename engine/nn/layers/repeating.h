#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers whose output has elements more than once.

// Expand(size): dims of size 1 stretch to it, -1 keeps a dim, more sizes than dims are new ones in
// front.
std::unique_ptr<const Layer> MakeExpand(AttributeReader& reader);

// Repeat(repeats): the input so often along each dim; more numbers than dims are new ones in front.
std::unique_ptr<const Layer> MakeRepeat(AttributeReader& reader);

// RepeatInterleave(repeats, dim): each slice of the dim so often.
std::unique_ptr<const Layer> MakeRepeatInterleave(AttributeReader& reader);

}  // namespace lazynet::nn
