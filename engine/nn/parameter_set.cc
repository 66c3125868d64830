#include "engine/nn/parameter_set.h"

#include <algorithm>

namespace lazynet::nn {

ParameterSet ParameterSet::Declared(const Network& network) {
  ParameterSet set;
  set.sizes_ = network.DeclaredSizes();
  for (const Node& node : network.nodes()) {
    set.values_.emplace_back(node.layer->parameters().size());
  }
  return set;
}

bool ParameterSet::sizes_known() const {
  return std::all_of(sizes_.begin(), sizes_.end(), [](const Sizes& sizes) {
    return std::find(sizes.begin(), sizes.end(), kUnknownDim) == sizes.end();
  });
}

bool ParameterSet::complete() const {
  return std::all_of(values_.begin(), values_.end(), [](const auto& values) {
    return std::all_of(values.begin(), values.end(),
                       [](const auto& value) { return value.has_value(); });
  });
}

size_t ParameterSet::bytes() const {
  size_t bytes = 0;
  for (const auto& values : values_) {
    for (const auto& value : values) bytes += value ? value->tensor.bytes() : 0;
  }
  return bytes;
}

}  // namespace lazynet::nn
