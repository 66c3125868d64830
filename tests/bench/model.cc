#include "tests/bench/model.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/checkpoint/safetensors_index.h"
#include "engine/core/status.h"
#include "service/hosting/definition.h"

namespace lazynet::bench {

absl::StatusOr<Model> LoadModel(const std::filesystem::path& folder, std::optional<DType> compute) {
  const std::filesystem::path path = folder / "network.textproto";
  std::ostringstream text;
  std::ifstream file(path);
  if (!file) return NotFound("{}: cannot be read", path.string());
  text << file.rdbuf();
  ASSIGN_OR_RETURN(nn::NetworkDefinition definition,
                   hosting::ParseDefinitionText(text.str(), folder.filename().string()));
  if (compute) definition.compute_dtype = compute;
  ASSIGN_OR_RETURN(auto network, nn::Network::Create(std::move(definition)));
  nn::ParameterSet set = nn::ParameterSet::Declared(*network);
  const std::filesystem::path weights = folder / "weights.safetensors";
  if (std::filesystem::exists(weights)) {
    ASSIGN_OR_RETURN(auto tensors, checkpoint::ReadSafetensors(weights));
    nn::StateDict values;
    for (auto& entry : tensors) values.emplace_back(entry.name, std::move(entry.tensor));
    ASSIGN_OR_RETURN(set, nn::LoadStateDict(*network, set, values));
  }
  return Model{std::move(network), std::move(set)};
}

absl::Status Materialize(Model& model, std::span<const Shape> input_shapes, int threads) {
  ASSIGN_OR_RETURN(model.parameters, nn::Materialize(*model.network, model.parameters, input_shapes,
                                                     {.threads = threads}));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const plan::Plan>> BuildPlan(Model& model,
                                                            std::span<const Shape> input_shapes,
                                                            int threads,
                                                            plan::PlanDescription* description) {
  return plan::Plan::Build(*model.network, model.parameters, input_shapes, Backend(), *model.shared,
                           {.threads = threads, .build_threads = threads}, description);
}

const backend::Backend& Backend() {
  static const auto backend = backend::MakeOnednnBackend(backend::MakeReferenceBackend());
  return *backend;
}

absl::StatusOr<std::unique_ptr<Runner>> Runner::Create(std::shared_ptr<const plan::Plan> plan,
                                                       std::vector<Tensor> inputs) {
  std::unique_ptr<Runner> runner(new Runner());
  runner->plan_ = std::move(plan);
  runner->input_tensors_ = std::move(inputs);
  for (const Tensor& input : runner->input_tensors_) runner->inputs_.push_back(input.view());
  ASSIGN_OR_RETURN(runner->output_tensors_, runner->plan_->AllocateOutputs());
  for (Tensor& output : runner->output_tensors_) {
    runner->outputs_.push_back(output.mutable_view());
  }
  return runner;
}

}  // namespace lazynet::bench
