#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Softmax(dim=None) and LogSoftmax(dim=None). Without dim PyTorch's legacy rule holds: 0 for the
// ranks 0, 1 and 3, else 1.
std::unique_ptr<const Layer> MakeSoftmax(bool log, AttributeReader& reader);

}  // namespace lazynet::nn
