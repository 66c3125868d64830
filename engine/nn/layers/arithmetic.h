#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Add and Mul of two or more inputs, from left to right, with PyTorch's broadcasting.
std::unique_ptr<const Layer> MakeArithmetic(backend::Binary::Algorithm algorithm);

}  // namespace lazynet::nn
