#pragma once

#include <optional>
#include <string_view>

namespace lazynet::init {

// The functions that torch.nn.init.calculate_gain knows.
enum class Nonlinearity { kLinear, kSigmoid, kTanh, kRelu, kLeakyRelu, kSelu };

// The function of PyTorch's name: "linear", "relu", ...; "conv1d" to "conv3d" and
// "conv_transpose1d" to "conv_transpose3d" are linear. Nothing for other names.
std::optional<Nonlinearity> ParseNonlinearity(std::string_view name);

// torch.nn.init.calculate_gain. The slope is leaky_relu's alone; its gain is
// sqrt(2 / (1 + slope^2)), and 0 where the square overflows.
double Gain(Nonlinearity nonlinearity, double negative_slope = 0.01);

}  // namespace lazynet::init
