#include "engine/plan/plan.h"

#include "engine/plan/lowering.h"
#include "engine/plan/passes/fold_constants.h"
#include "engine/plan/passes/fold_normalization.h"
#include "engine/plan/passes/remove_dead_ops.h"
#include "engine/plan/plan_builder.h"

namespace lazynet::plan {

absl::StatusOr<std::shared_ptr<const Plan>> Plan::Build(const nn::Network& network,
                                                        const nn::ParameterSet& parameters,
                                                        std::span<const Shape> input_shapes,
                                                        const backend::Backend& backend,
                                                        backend::PackedWeights& packed,
                                                        const PlanOptions& options) {
  ASSIGN_OR_RETURN(const nn::Inference inference, network.Infer(input_shapes, parameters.sizes()));
  backend::Graph graph = Lower(network, parameters, inference);
  RemoveDeadOps(graph);
  RETURN_IF_ERROR(FoldConstants(graph, backend));
  if (options.optimize) FoldNormalization(graph);
  return PlanBuilder(graph, backend, packed).Build(options);
}

template <typename AfterStep>
absl::Status Plan::RunSteps(std::span<const TensorView> inputs,
                            std::span<const MutableTensorView> outputs, Workspace& workspace,
                            const AfterStep& after_step) const {
  LAZYNET_CHECK(inputs.size() == inputs_.size() && outputs.size() == outputs_.size());
  RETURN_IF_ERROR(workspace.Reserve(arena_bytes_, scratch_bytes_));
  const auto source = [&](const Location& location) -> const std::byte* {
    switch (location.kind) {
      case Location::Kind::kNone:
        return nullptr;
      case Location::Kind::kArena:
        return workspace.arena() + location.at;
      case Location::Kind::kInput:
        return inputs[location.at].data;
      case Location::Kind::kOutput:
        return outputs[location.at].data;
    }
    return nullptr;
  };
  absl::InlinedVector<const std::byte*, 8> srcs;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    srcs.clear();
    for (const Location& location : step.srcs) srcs.push_back(source(location));
    std::byte* dst = step.dst.kind == Location::Kind::kOutput ? outputs[step.dst.at].data
                                                              : workspace.arena() + step.dst.at;
    RETURN_IF_ERROR(step.kernel->Run({{srcs.data(), srcs.size()}, dst, workspace.scratch()}));
    after_step(i);
  }
  return absl::OkStatus();
}

absl::Status Plan::Run(std::span<const TensorView> inputs,
                       std::span<const MutableTensorView> outputs, Workspace& workspace) const {
  return RunSteps(inputs, outputs, workspace, [](size_t) {});
}

absl::Status Plan::Profile(std::span<const TensorView> inputs,
                           std::span<const MutableTensorView> outputs, Workspace& workspace,
                           std::span<std::chrono::nanoseconds> times) const {
  using Clock = std::chrono::steady_clock;
  LAZYNET_CHECK(times.size() == steps_.size());
  Clock::time_point begin = Clock::now();
  return RunSteps(inputs, outputs, workspace, [&](size_t step) {
    const Clock::time_point end = Clock::now();
    times[step] += end - begin;
    begin = end;
  });
}

std::vector<Plan::StepInfo> Plan::steps() const {
  std::vector<StepInfo> infos;
  for (const Step& step : steps_) infos.push_back(step.info);
  return infos;
}

}  // namespace lazynet::plan
