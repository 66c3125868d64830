#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Concat(dim=0) of one or more inputs whose shapes agree but for dim, as torch.cat.
std::unique_ptr<const Layer> MakeConcat(AttributeReader& reader);

}  // namespace lazynet::nn
