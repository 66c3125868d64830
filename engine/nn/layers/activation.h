#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// The element-wise activations without parameters: ReLU, ReLU6, LeakyReLU(negative_slope=0.01),
// ELU(alpha=1), GELU(approximate='none'), SiLU, Mish, Hardswish, Hardsigmoid, Sigmoid, Tanh,
// Softplus(beta=1, threshold=20). Any shape; the output has the same.
std::span<const std::string_view> ActivationTypes();
std::unique_ptr<const Layer> MakeActivation(std::string_view type, AttributeReader& reader);

}  // namespace lazynet::nn
