#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// tensor.to(dtype), the only way in which a value changes its dtype: from any dtype to a floating
// one, shape kept.
std::unique_ptr<const Layer> MakeTo(AttributeReader& reader);

}  // namespace lazynet::nn
