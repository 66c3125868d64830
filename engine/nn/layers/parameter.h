#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// A layer without inputs, whose value is a parameter of its own: torch.nn.Parameter, or a buffer.
std::unique_ptr<const Layer> MakeParameter(AttributeReader& reader);

}  // namespace lazynet::nn
