#pragma once

#include <cstddef>
#include <string>

#include "engine/nn/network.h"

namespace lazynet::hosting {

// Calls with every parameter that a node of the network owns: node, index.
template <typename Function>
void ForEachParameter(const nn::Network& network, const Function& function) {
  for (size_t node = 0; node < network.nodes().size(); ++node) {
    const int count = static_cast<int>(network.nodes()[node].parameters().size());
    for (int i = 0; i < count; ++i) function(static_cast<int>(node), i);
  }
}

inline std::string KeyOf(const nn::Network& network, int node, int parameter) {
  return network.nodes()[static_cast<size_t>(node)].ParameterName(parameter);
}

}  // namespace lazynet::hosting
