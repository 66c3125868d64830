#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/init/generator.h"
#include "engine/nn/network.h"

namespace lazynet::nn {

// How a parameter came by its values.
enum class Origin { kInitializer, kCheckpoint, kClient };

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
  // The definition's sizes, and those they imply, and no values. Allocates no tensor.
  static ParameterSet Declared(const Network& network);

  // Per node; kUnknownDim where not known yet.
  const std::vector<Sizes>& sizes() const { return sizes_; }
  bool sizes_known() const;

  // The value of a parameter, or nothing.
  const std::optional<ParameterValue>& value(int node, int parameter) const {
    return values_[static_cast<size_t>(node)][static_cast<size_t>(parameter)];
  }

  // Calls with every value there is.
  template <typename Function>
  void ForEachValue(const Function& function) const {
    for (const auto& values : values_) {
      for (const auto& value : values) {
        if (value) function(*value);
      }
    }
  }

  // Every parameter has its value.
  bool complete() const;

  // Whether the parameter counts as initialized, as PyTorch's would: it has its value, or belongs
  // to a layer that is constructed with all its sizes, or was drawn and is without it for now.
  bool initialized(const Network& network, int node, int parameter) const;

  // Per node, whether a parameter of its own is not initialized: those are PyTorch's LazyX.
  std::vector<bool> lazy(const Network& network) const;

  // Bytes of all values.
  size_t bytes() const;

  // Those of them that mapped files hold: in memory only while they are read.
  size_t mapped_bytes() const;

  // The same sizes, without the values that initializers drew: the definition, its seed, the sizes
  // and the other values make them again. They count as initialized.
  ParameterSet WithoutDrawnValues() const;

  // The same as of a set that had these sizes, all known, and its values drawn for them.
  ParameterSet WithoutDrawnValues(std::vector<Sizes> sizes) const;

  // Gives back the memory of values that mapped files hold, too (Tensor::ReleasePages).
  void ReleasePages() const;

 private:
  friend class StateDictLoader;
  friend class Materializer;

  std::vector<Sizes> sizes_;
  std::vector<std::vector<std::optional<ParameterValue>>> values_;
  bool drawn_again_ = false;  // what has no value had one, and will have it again
};

// A key of a state dict with its value, or nothing where that is not initialized.
using StateDictEntry = std::pair<std::string, std::optional<Tensor>>;
using StateDict = std::vector<StateDictEntry>;

struct LoadOptions {
  bool allow_missing = true;  // keys of the network that the state dict lacks
  bool allow_unexpected = false;
  Origin origin = Origin::kCheckpoint;
};

// What a state dict and a network have in common and what not, in the order of their keys.
struct LoadReport {
  struct Mismatch {
    std::string key;
    std::string problem;  // what was wanted and what came
  };
  std::vector<std::string> missing;  // and without a value so far; not num_batches_tracked
  std::vector<std::string> unexpected;
  std::vector<Mismatch> mismatched;
  std::vector<std::string> lossy;  // converted to the parameter's dtype with loss
};

// Takes values by PyTorch's state-dict keys, all or none. A key fixes the sizes that its shape
// tells, and what those imply for other layers; keys left out stay as they are. Values of another
// dtype are converted to the parameter's: from any floating one, and any integers or integral
// values for integer parameters; scalars may come as [1]. INVALID_ARGUMENT, naming every key at
// fault: unknown or missing ones unless allowed, shapes or dtypes that do not fit, values not
// initialized where the set has one, and sizes that contradict each other, of one layer or of
// connected ones. `report`, if given, is filled in any case.
absl::StatusOr<ParameterSet> LoadStateDict(const Network& network, const ParameterSet& set,
                                           std::span<const StateDictEntry> state_dict,
                                           const LoadOptions& options = {},
                                           LoadReport* report = nullptr);

struct MaterializeOptions {
  size_t max_parameter_bytes = size_t{16} << 30;  // of one network
  int threads = 1;                                // that draw; the values do not depend on it
};

// Bytes of all parameters when the sizes are these (all known), those that have values included.
// RESOURCE_EXHAUSTED, naming the parameter that is too much, beyond the limit; INVALID_ARGUMENT for
// one that no tensor can be.
absl::StatusOr<size_t> ParameterBytes(const Network& network, const ParameterSet& set,
                                      const std::vector<Sizes>& sizes,
                                      const MaterializeOptions& options);

// Infers every lazy size from the input shapes and gives every parameter that has none its initial
// values, drawn as PyTorch 1.13 draws them (or per layer, see DrawOrder). A pure function: an error
// means that nothing happened. INVALID_ARGUMENT as Network::Infer, and before anything is allocated
// the errors of init::CheckInitializer, and RESOURCE_EXHAUSTED when the parameters would be larger
// than the limit.
//
// `stream`, if given, is what DrawOrder::kTorch draws from instead of one seeded by the network,
// and is left where PyTorch leaves its generator.
absl::StatusOr<ParameterSet> Materialize(const Network& network, const ParameterSet& set,
                                         std::span<const Shape> input_shapes,
                                         const MaterializeOptions& options,
                                         init::Generator* stream = nullptr);

// The same for a set whose sizes are all known, from the definition or a checkpoint: no input
// shapes are needed.
absl::StatusOr<ParameterSet> MaterializeKnown(const Network& network, const ParameterSet& set,
                                              const MaterializeOptions& options);

}  // namespace lazynet::nn
