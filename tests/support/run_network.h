#pragma once

#include <vector>

#include "engine/backend/backend.h"
#include "engine/plan/plan.h"

namespace lazynet::testing {

// Materializes `network` (from `set`, or as declared), builds a plan for the inputs and runs it.
absl::StatusOr<std::vector<Tensor>> RunNetwork(const nn::Network& network,
                                               const nn::ParameterSet& set,
                                               const std::vector<Tensor>& inputs,
                                               const backend::Backend& backend,
                                               const plan::PlanOptions& options = {});
absl::StatusOr<std::vector<Tensor>> RunNetwork(const nn::Network& network,
                                               const std::vector<Tensor>& inputs,
                                               const backend::Backend& backend);

// Runs a plan on its inputs.
absl::StatusOr<std::vector<Tensor>> RunPlan(const plan::Plan& plan,
                                            const std::vector<Tensor>& inputs);

}  // namespace lazynet::testing
