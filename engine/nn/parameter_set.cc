#include "engine/nn/parameter_set.h"

#include <algorithm>
#include <utility>

namespace lazynet::nn {

ParameterSet ParameterSet::Declared(const Network& network) {
  ParameterSet set;
  // Create refused a definition that implies a contradiction.
  set.sizes_ = *network.Imply(network.DeclaredSizes());
  for (const Node& node : network.nodes()) set.values_.emplace_back(node.parameters().size());
  return set;
}

bool ParameterSet::sizes_known() const {
  return std::all_of(sizes_.begin(), sizes_.end(), [](const Sizes& sizes) {
    return std::find(sizes.begin(), sizes.end(), kUnknownDim) == sizes.end();
  });
}

bool ParameterSet::initialized(const Network& network, int node, int parameter) const {
  return drawn_again_ || value(node, parameter).has_value() ||
         !network.nodes()[static_cast<size_t>(node)].layer->lazy();
}

std::vector<bool> ParameterSet::lazy(const Network& network) const {
  std::vector<bool> lazy;
  for (size_t node = 0; node < values_.size(); ++node) {
    bool any = false;
    for (size_t i = 0; i < values_[node].size(); ++i) {
      any |= !initialized(network, static_cast<int>(node), static_cast<int>(i));
    }
    lazy.push_back(any);
  }
  return lazy;
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

size_t ParameterSet::mapped_bytes() const {
  size_t bytes = 0;
  for (const auto& values : values_) {
    for (const auto& value : values) {
      if (value && value->tensor.mapped()) bytes += value->tensor.bytes();
    }
  }
  return bytes;
}

ParameterSet ParameterSet::WithoutDrawnValues() const {
  ParameterSet set = *this;
  set.drawn_again_ = true;
  for (auto& values : set.values_) {
    for (auto& value : values) {
      if (value && value->origin == Origin::kInitializer) value.reset();
    }
  }
  return set;
}

ParameterSet ParameterSet::WithoutDrawnValues(std::vector<Sizes> sizes) const {
  ParameterSet set = WithoutDrawnValues();
  set.sizes_ = std::move(sizes);
  return set;
}

void ParameterSet::ReleasePages() const {
  for (const auto& values : values_) {
    for (const auto& value : values) {
      if (value) value->tensor.ReleasePages();
    }
  }
}

}  // namespace lazynet::nn
