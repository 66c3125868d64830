#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// GLU(dim=-1): the first half along `dim`, times the sigmoid of the second.
std::unique_ptr<const Layer> MakeGlu(AttributeReader& reader);

}  // namespace lazynet::nn
