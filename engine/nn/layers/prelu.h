#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// PReLU(num_parameters=1, init=0.25): x > 0 ? x : weight x, one weight for all or one per channel
// (dim 1).
std::unique_ptr<const Layer> MakePrelu(AttributeReader& reader);

}  // namespace lazynet::nn
