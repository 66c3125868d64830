#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/plan/plan.h"

namespace lazynet::bench {

// A network with its parameters, and what its plans share.
struct Model {
  std::shared_ptr<const nn::Network> network;
  nn::ParameterSet parameters;
  std::unique_ptr<plan::SharedParts> shared = std::make_unique<plan::SharedParts>();
};

// The network of a model folder as lazynet-export writes it, with the values of its checkpoint.
// Parameters that have none there are not initialized yet.
// `compute`, if given, is what the network computes in instead of what its definition says.
absl::StatusOr<Model> LoadModel(const std::filesystem::path& folder,
                                std::optional<DType> compute = std::nullopt);

// Gives the rest of the parameters their initial values.
absl::Status Materialize(Model& model, std::span<const Shape> input_shapes, int threads = 1);

// With a `description` as Plan::Build says.
absl::StatusOr<std::shared_ptr<const plan::Plan>> BuildPlan(
    Model& model, std::span<const Shape> input_shapes, int threads,
    plan::PlanDescription* description = nullptr);

// The server's backend.
const backend::Backend& Backend();

// A plan with memory of its own for everything that a run needs.
class Runner {
 public:
  // Inputs are of the plan's shapes and dtypes.
  static absl::StatusOr<std::unique_ptr<Runner>> Create(std::shared_ptr<const plan::Plan> plan,
                                                        std::vector<Tensor> inputs);

  absl::Status Run() { return plan_->Run(inputs_, outputs_, workspace_); }

  std::span<const Tensor> inputs() const { return input_tensors_; }
  std::span<const Tensor> outputs() const { return output_tensors_; }

 private:
  Runner() = default;

  std::shared_ptr<const plan::Plan> plan_;
  std::vector<Tensor> input_tensors_, output_tensors_;
  std::vector<TensorView> inputs_;
  std::vector<MutableTensorView> outputs_;
  plan::Workspace workspace_;
};

}  // namespace lazynet::bench
