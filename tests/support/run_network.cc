#include "tests/support/run_network.h"

namespace lazynet::testing {

absl::StatusOr<std::vector<Tensor>> RunPlan(const plan::Plan& plan,
                                            const std::vector<Tensor>& inputs) {
  std::vector<TensorView> sources;
  for (const Tensor& input : inputs) sources.push_back(input.view());
  ASSIGN_OR_RETURN(std::vector<Tensor> outputs, plan.AllocateOutputs());
  std::vector<MutableTensorView> views;
  for (Tensor& output : outputs) views.push_back(output.mutable_view());
  plan::Workspace workspace;
  RETURN_IF_ERROR(plan.Run(sources, views, workspace));
  return outputs;
}

absl::StatusOr<std::vector<Tensor>> RunNetwork(const nn::Network& network,
                                               const nn::ParameterSet& set,
                                               const std::vector<Tensor>& inputs,
                                               const backend::Backend& backend,
                                               const plan::PlanOptions& options) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  ASSIGN_OR_RETURN(const nn::ParameterSet complete, nn::Materialize(network, set, shapes, {}));
  plan::SharedParts shared;
  ASSIGN_OR_RETURN(const auto plan,
                   plan::Plan::Build(network, complete, shapes, backend, shared, options));
  return RunPlan(*plan, inputs);
}

absl::StatusOr<std::vector<Tensor>> RunNetwork(const nn::Network& network,
                                               const std::vector<Tensor>& inputs,
                                               const backend::Backend& backend) {
  return RunNetwork(network, nn::ParameterSet::Declared(network), inputs, backend);
}

}  // namespace lazynet::testing
