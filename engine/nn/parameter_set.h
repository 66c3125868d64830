#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/nn/network.h"

namespace lazynet::nn {

// How a parameter came by its values.
enum class Origin { kInitializer, kCheckpoint };

struct ParameterValue {
  Tensor tensor;
  Origin origin = Origin::kInitializer;
};

// The parameters of a network at one moment: which sizes are known and which parameters have
// values. Immutable once shared; the functions below make new sets and leave theirs alone.
//
//   Declared --LoadStateDict--> (some sizes and values) --Materialize--> complete
class ParameterSet {
 public:
  // The definition's sizes and no values. Allocates no tensor.
  static ParameterSet Declared(const Network& network);

  // Per node; kUnknownDim where not known yet.
  const std::vector<Sizes>& sizes() const { return sizes_; }
  bool sizes_known() const;

  // The value of a parameter, or nothing.
  const std::optional<ParameterValue>& value(int node, int parameter) const {
    return values_[static_cast<size_t>(node)][static_cast<size_t>(parameter)];
  }

  // Every parameter has its value.
  bool complete() const;

  // Bytes of all values.
  size_t bytes() const;

 private:
  friend absl::StatusOr<ParameterSet> LoadStateDict(
      const Network& network, const ParameterSet& set,
      std::span<const std::pair<std::string, Tensor>> state_dict);
  friend class Materializer;

  std::vector<Sizes> sizes_;
  std::vector<std::vector<std::optional<ParameterValue>>> values_;
};

// Takes values by PyTorch's state-dict keys. A key fixes the sizes that its shape tells; keys left
// out stay as they are. Values of another floating dtype are converted to the parameter's.
// INVALID_ARGUMENT, naming the key, when the network has no such parameter, or the shape or dtype
// does not fit it, or two keys tell different sizes.
absl::StatusOr<ParameterSet> LoadStateDict(
    const Network& network, const ParameterSet& set,
    std::span<const std::pair<std::string, Tensor>> state_dict);

struct MaterializeLimits {
  size_t max_parameter_bytes = size_t{16} << 30;  // of one network
};

// Infers every lazy size from the input shapes and gives every parameter that has none its initial
// values, drawn as PyTorch 1.13 draws them (or per layer, see DrawOrder). A pure function: an error
// means that nothing happened. INVALID_ARGUMENT as Network::Infer; RESOURCE_EXHAUSTED, before
// anything is allocated, when the parameters would be larger than the limit.
absl::StatusOr<ParameterSet> Materialize(const Network& network, const ParameterSet& set,
                                         std::span<const Shape> input_shapes,
                                         const MaterializeLimits& limits);

// The same for a set whose sizes are all known, from the definition or a checkpoint: no input
// shapes are needed.
absl::StatusOr<ParameterSet> MaterializeKnown(const Network& network, const ParameterSet& set,
                                              const MaterializeLimits& limits);

}  // namespace lazynet::nn
