#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// tensor.to(dtype), from any dtype to any, shape kept. Floats are rounded toward 0 to integers,
// integers wrap, BOOL is what is not 0.
std::unique_ptr<const Layer> MakeTo(AttributeReader& reader);

}  // namespace lazynet::nn
