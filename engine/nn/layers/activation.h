#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// The element-wise activations without parameters: ReLU, ReLU6, Hardtanh(min_val=-1, max_val=1),
// LeakyReLU(negative_slope=0.01), RReLU(lower=1/8, upper=1/3), ELU(alpha=1), CELU(alpha=1), SELU,
// GELU(approximate='none'), SiLU, Mish, Hardswish, Hardsigmoid, Sigmoid, LogSigmoid, Tanh,
// Tanhshrink, Softplus(beta=1, threshold=20), Softsign, Hardshrink(lambd=0.5),
// Softshrink(lambd=0.5), Threshold(threshold, value). Any shape; the output has the same. Integers
// are refused, but by ReLU, ReLU6, Hardtanh and Threshold, which keep their dtype, and by Sigmoid,
// Tanh, Softsign and Tanhshrink, which make FP32 of them.
std::vector<std::string_view> ActivationTypes();
std::unique_ptr<const Layer> MakeActivation(std::string_view type, AttributeReader& reader);

}  // namespace lazynet::nn
