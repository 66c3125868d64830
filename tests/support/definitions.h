#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/network.h"

namespace lazynet::testing {

// One argument of a layer; per-axis arguments are lists.
inline std::pair<std::string, nn::AttributeValue> Arg(std::string name, int value) {
  return {std::move(name), int64_t{value}};
}
inline std::pair<std::string, nn::AttributeValue> Arg(std::string name, bool value) {
  return {std::move(name), value};
}
inline std::pair<std::string, nn::AttributeValue> Arg(std::string name, double value) {
  return {std::move(name), value};
}
inline std::pair<std::string, nn::AttributeValue> Arg(std::string name, const char* value) {
  return {std::move(name), std::string(value)};
}
inline std::pair<std::string, nn::AttributeValue> PerAxis(std::string name,
                                                          std::vector<int64_t> values) {
  return {std::move(name), std::move(values)};
}

inline nn::LayerDefinition LayerOf(std::string name, std::string type,
                                   nn::Attributes attributes = {},
                                   std::vector<std::string> inputs = {}) {
  return {std::move(name), std::move(type), std::move(attributes), std::move(inputs)};
}

inline nn::NetworkDefinition DefinitionOf(std::vector<nn::LayerDefinition> layers) {
  return {.name = "net", .layers = std::move(layers)};
}

// The network of a definition that is right.
inline std::shared_ptr<const nn::Network> NetworkOf(nn::NetworkDefinition definition) {
  auto network = nn::Network::Create(std::move(definition));
  LAZYNET_CHECK(network.ok());
  return *std::move(network);
}

// PyTorch's LazyMLP: fc1 (10), relu1, fc2 (1), relu2.
inline nn::NetworkDefinition LazyMlp() {
  return DefinitionOf({LayerOf("fc1", "Linear", {Arg("out_features", 10)}),
                       LayerOf("relu1", "ReLU"), LayerOf("fc2", "Linear", {Arg("out_features", 1)}),
                       LayerOf("relu2", "ReLU")});
}

}  // namespace lazynet::testing
