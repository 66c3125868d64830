#include "engine/init/gain.h"

#include <array>
#include <cmath>
#include <utility>

#include "engine/core/check.h"

namespace lazynet::init {

std::optional<Nonlinearity> ParseNonlinearity(std::string_view name) {
  using enum Nonlinearity;
  static constexpr std::array<std::pair<std::string_view, Nonlinearity>, 12> kNames = {{
      {"linear", kLinear},
      {"conv1d", kLinear},
      {"conv2d", kLinear},
      {"conv3d", kLinear},
      {"conv_transpose1d", kLinear},
      {"conv_transpose2d", kLinear},
      {"conv_transpose3d", kLinear},
      {"sigmoid", kSigmoid},
      {"tanh", kTanh},
      {"relu", kRelu},
      {"leaky_relu", kLeakyRelu},
      {"selu", kSelu},
  }};
  for (const auto& [known, nonlinearity] : kNames) {
    if (known == name) return nonlinearity;
  }
  return std::nullopt;
}

double Gain(Nonlinearity nonlinearity, double negative_slope) {
  switch (nonlinearity) {
    case Nonlinearity::kLinear:
    case Nonlinearity::kSigmoid:
      return 1.0;
    case Nonlinearity::kTanh:
      return 5.0 / 3.0;
    case Nonlinearity::kRelu:
      return std::sqrt(2.0);
    case Nonlinearity::kLeakyRelu:
      // Python's ** is the C library's pow, whose squares are not always the nearest double.
      return std::sqrt(2.0 / (1.0 + std::pow(negative_slope, 2.0)));
    case Nonlinearity::kSelu:
      return 3.0 / 4.0;
  }
  CheckFailed("every nonlinearity has a gain", __FILE__, __LINE__);
}

}  // namespace lazynet::init
