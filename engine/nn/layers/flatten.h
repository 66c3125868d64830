#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Flatten(start_dim=1, end_dim=-1): merges the dims from start to end.
std::unique_ptr<const Layer> MakeFlatten(AttributeReader& reader);

}  // namespace lazynet::nn
