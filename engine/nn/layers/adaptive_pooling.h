#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// AdaptiveAvgPool and AdaptiveMaxPool{1,2,3}d(output_size); -1 stands for PyTorch's None and keeps
// the input's size.
std::unique_ptr<const Layer> MakeAdaptiveAvgPool(int axes, AttributeReader& reader);
std::unique_ptr<const Layer> MakeAdaptiveMaxPool(int axes, AttributeReader& reader);

}  // namespace lazynet::nn
