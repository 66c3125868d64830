#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/nn/parameter_set.h"
#include "engine/plan/plan_cache.h"
#include "service/hosting/binding.h"
#include "service/metrics/network_probe.h"

namespace lazynet::hosting {

struct HostingOptions {
  nn::MaterializeLimits materialize;
  plan::PlanOptions plan;
  size_t plans_per_network = 32;  // the least recently used goes first
};

// The engine's backends, shared by all networks.
struct Backends {
  std::unique_ptr<backend::Backend> preferred;  // serves the dtypes it supports
  std::unique_ptr<backend::Backend> reference;  // serves the others

  const backend::Backend& For(DType dtype) const {
    return preferred->Supports(dtype) ? *preferred : *reference;
  }
};

// A network with all its parameters, and what was made from them. Replaced as a whole when the
// parameters change; requests keep the one they started with.
struct BoundNetwork {
  BoundNetwork(nn::ParameterSet set, Binding how, size_t plans_per_network)
      : parameters(std::move(set)), binding(std::move(how)), plans(plans_per_network) {}

  const nn::ParameterSet parameters;
  const Binding binding;
  backend::PackedWeights packed;
  plan::PlanCache plans;
};

// What it takes to run requests of one set of input shapes.
struct Executable {
  std::shared_ptr<BoundNetwork> bound;  // keeps alive what the plan reads
  std::shared_ptr<const plan::Plan> plan;
};

// One version of one definition inside the server.
//
//   lazy --Prepare--> materializing --> ready
//                        \--error--> lazy
//
// Safe for use by many threads.
class HostedNetwork {
 public:
  enum class State { kLazy, kMaterializing, kReady };

  // Takes the checkpoint's values, and is ready at once when they, or the definition, leave no size
  // unknown. INVALID_ARGUMENT when the checkpoint does not fit the network.
  static absl::StatusOr<std::shared_ptr<HostedNetwork>> Create(
      std::shared_ptr<const nn::Network> network, int64_t version, const nn::StateDict& checkpoint,
      const Backends& backends, const HostingOptions& options, metrics::Registry& registry);

  const nn::Network& network() const { return *network_; }
  int64_t version() const { return version_; }
  metrics::NetworkProbe& probe() const { return *probe_; }

  State state() const;

  // The parameters, and how they came; null while lazy.
  std::shared_ptr<BoundNetwork> bound() const;

  // What is known of the parameters before any request: declared and loaded.
  const nn::ParameterSet& declared() const { return *declared_; }

  // What is known of them at this moment.
  std::shared_ptr<const nn::ParameterSet> parameters() const;

  // The executable for these shapes if it is there. Counts a hit or a miss of the plan cache.
  std::optional<Executable> Find(std::span<const Shape> input_shapes);

  // Whether the network can take these shapes now, by inference alone; what Prepare would answer
  // but for limits. INVALID_ARGUMENT names the layer, and what bound it and when.
  absl::Status Check(std::span<const Shape> input_shapes) const;

  // Materializes if nothing has yet, and builds the plan for these shapes if it is not there. Takes
  // long; for build lanes. An error leaves the network as it was.
  absl::StatusOr<Executable> Prepare(std::span<const Shape> input_shapes);

 private:
  HostedNetwork(std::shared_ptr<const nn::Network> network, int64_t version,
                nn::ParameterSet declared, const Backends& backends, const HostingOptions& options,
                metrics::Registry& registry);

  absl::Status BindKnown(Binding::Source source);
  absl::StatusOr<std::shared_ptr<BoundNetwork>> BindByRequest(std::span<const Shape> input_shapes);
  void Publish(std::shared_ptr<BoundNetwork> bound);
  void ShowParameters() const;

  const std::shared_ptr<const nn::Network> network_;
  const int64_t version_;
  const std::shared_ptr<const nn::ParameterSet> declared_;  // before any request
  const Backends& backends_;
  const HostingOptions options_;
  const std::unique_ptr<metrics::NetworkProbe> probe_;

  std::mutex preparing_;  // held through Prepare: one materialization, one plan at a time

  mutable std::mutex mutex_;  // guards the two below, for moments only
  std::shared_ptr<BoundNetwork> bound_;
  State state_ = State::kLazy;
};

}  // namespace lazynet::hosting
