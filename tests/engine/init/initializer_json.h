#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "engine/init/named_initializers.h"

namespace lazynet::init {

// The initializer of a golden or a request: {"init": "kaiming_uniform", "mode": "fan_out", ...}
// with PyTorch's names, all arguments given.
inline Initializer InitializerOf(const nlohmann::ordered_json& row) {
  const std::string name = row["init"];
  const auto kaiming = [&]<typename Kaiming>(Kaiming) -> Initializer {
    return Kaiming{
        .negative_slope = row["a"],
        .mode = row["mode"] == "fan_in" ? FanMode::kFanIn : FanMode::kFanOut,
        .nonlinearity = ParseNonlinearity(row["nonlinearity"].get<std::string>()).value()};
  };
  if (name == "constant") return ConstantInitializer{row["val"]};
  if (name == "zeros") return ConstantInitializer{0.0};
  if (name == "ones") return ConstantInitializer{1.0};
  if (name == "uniform") return UniformInitializer{row["a"], row["b"]};
  if (name == "normal") return NormalInitializer{row["mean"], row["std"]};
  if (name == "trunc_normal") {
    return TruncatedNormalInitializer{row["mean"], row["std"], row["a"], row["b"]};
  }
  if (name == "xavier_uniform") return XavierUniformInitializer{row["gain"]};
  if (name == "xavier_normal") return XavierNormalInitializer{row["gain"]};
  if (name == "kaiming_uniform") return kaiming(KaimingUniformInitializer());
  if (name == "kaiming_normal") return kaiming(KaimingNormalInitializer());
  if (name == "orthogonal") return OrthogonalInitializer{row["gain"]};
  if (name == "eye") return EyeInitializer{};
  if (name == "dirac") return DiracInitializer{row["groups"]};
  throw std::invalid_argument("unknown initializer " + name);
}

}  // namespace lazynet::init
