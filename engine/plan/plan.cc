#include "engine/plan/plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/backend/threads.h"
#include "engine/plan/batch_axes.h"
#include "engine/plan/cost.h"
#include "engine/plan/grouping.h"
#include "engine/plan/lowering.h"
#include "engine/plan/passes/bound_values.h"
#include "engine/plan/passes/fold_constants.h"
#include "engine/plan/passes/fold_normalization.h"
#include "engine/plan/passes/fuse_ops.h"
#include "engine/plan/passes/remove_dead_ops.h"
#include "engine/plan/program_builder.h"

namespace lazynet::plan {
namespace {

using backend::Graph;

// The network that a plan is built of.
struct Source {
  const nn::Network& network;
  const nn::ParameterSet& parameters;

  absl::StatusOr<Graph> LowerFor(std::span<const Shape> input_shapes) const {
    ASSIGN_OR_RETURN(const nn::Inference inference,
                     network.Infer(input_shapes, parameters.sizes()));
    return Lower(network, parameters, inference);
  }
};

std::vector<Shape> WithItems(std::span<const Shape> input_shapes, int64_t items) {
  std::vector<Shape> shapes(input_shapes.begin(), input_shapes.end());
  for (Shape& shape : shapes) shape.set_dim(0, items);
  return shapes;
}

// The size of axis 0 if all inputs agree on it, or 0.
int64_t ItemsOf(std::span<const Shape> input_shapes) {
  int64_t items = 0;
  for (const Shape& shape : input_shapes) {
    if (shape.rank() == 0 || (items != 0 && shape.dim(0) != items)) return 0;
    items = shape.dim(0);
  }
  return items;
}

// A part of a batch that can be run by itself.
struct Group {
  int64_t items = 0;
  std::vector<Shape> input_shapes;
  Graph graph;
};

// How to split the batch that `whole` was lowered for; nothing if it has to be run at once, or that
// is best.
std::optional<Group> FindGroup(const Source& source, const Graph& whole,
                               std::span<const Shape> input_shapes, int threads,
                               int64_t wanted_size) {
  const int64_t items = ItemsOf(input_shapes);
  if (items < 2) return std::nullopt;
  std::vector<Shape> shapes = WithItems(input_shapes, 1);
  absl::StatusOr<Graph> one = source.LowerFor(shapes);
  if (!one.ok() || !FindBatchAxes(whole, *one, items)) return std::nullopt;
  const int64_t size = wanted_size > 0 ? wanted_size : GroupSize(*one, items, threads);
  if (size == 1) return Group{size, std::move(shapes), *std::move(one)};
  if (size >= items || items % size != 0) return std::nullopt;
  shapes = WithItems(input_shapes, size);
  absl::StatusOr<Graph> several = source.LowerFor(shapes);
  if (!several.ok() || !FindBatchAxes(*several, *one, size)) return std::nullopt;
  return Group{size, std::move(shapes), *std::move(several)};
}

absl::StatusOr<std::shared_ptr<const Program>> BuildProgram(Graph graph,
                                                            const backend::Backend& backend,
                                                            backend::PackedWeights& packed,
                                                            int threads,
                                                            const PlanOptions& options) {
  const size_t max_bytes = options.max_arena_bytes;
  RemoveDeadOps(graph);
  RETURN_IF_ERROR(FoldConstants(graph, backend));
  if (!options.optimize) return ProgramBuilder(graph, backend, packed, threads).Build(max_bytes);
  FoldNormalization(graph);
  Graph careful = graph;
  FuseOps(graph, backend);
  ASSIGN_OR_RETURN(std::vector<CheckedValue> checks, BoundValues(graph, packed));
  ProgramBuilder builder(graph, backend, packed, threads);
  const bool checked = !checks.empty();
  builder.SetChecks(std::move(checks));
  ASSIGN_OR_RETURN(std::shared_ptr<Program> program, builder.Build(max_bytes));
  if (checked) {
    program->SetCareful([=, &backend, &packed, graph = std::move(careful)] {
      return absl::StatusOr<std::shared_ptr<const Program>>(
          ProgramBuilder(graph, backend, packed, threads).Build(max_bytes));
    });
  }
  return program;
}

std::vector<TensorSpec> SpecsOf(const Graph& graph, std::span<const backend::ValueId> ids) {
  std::vector<TensorSpec> specs;
  for (const backend::ValueId id : ids) {
    specs.push_back({graph.value(id).dtype, graph.value(id).shape});
  }
  return specs;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Plan>> Plan::Build(const nn::Network& network,
                                                        const nn::ParameterSet& parameters,
                                                        std::span<const Shape> input_shapes,
                                                        const backend::Backend& backend,
                                                        SharedParts& shared,
                                                        const PlanOptions& options) {
  const Source source{network, parameters};
  ASSIGN_OR_RETURN(Graph graph, source.LowerFor(input_shapes));
  auto plan = std::make_shared<Plan>();
  plan->inputs_ = SpecsOf(graph, graph.inputs);
  plan->outputs_ = SpecsOf(graph, graph.outputs);
  plan->gains_from_threads_ = EstimatedMicroseconds(graph) >= kWidePlanMicroseconds;
  const int threads = plan->gains_from_threads_ ? options.threads : 1;
  plan->threads_ = threads;
  int kernel_threads = threads;
  std::vector<Shape> shapes(input_shapes.begin(), input_shapes.end());
  if (auto group = FindGroup(source, graph, input_shapes, threads, options.group_size)) {
    plan->groups_ = ItemsOf(input_shapes) / group->items;
    plan->parallel_groups_ = static_cast<int>(std::min<int64_t>(plan->groups_, threads));
    kernel_threads = 1;
    shapes = std::move(group->input_shapes);
    graph = std::move(group->graph);
  }
  ProgramStore::Key key{std::move(shapes), kernel_threads};
  plan->program_ = shared.programs.Find(key);
  if (plan->program_ == nullptr) {
    ASSIGN_OR_RETURN(plan->program_, BuildProgram(std::move(graph), backend, shared.packed,
                                                  kernel_threads, options));
    shared.programs.Insert(std::move(key), plan->program_);
    // What was read to be packed is not read again.
    parameters.ReleasePages();
  }
  if (plan->arena_bytes() > options.max_arena_bytes) {
    return ResourceExhausted("wants at most {} bytes of intermediate values, got {}",
                             options.max_arena_bytes, plan->arena_bytes());
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

absl::Status Plan::RunGroups(const Program& program, std::span<const TensorView> inputs,
                             std::span<const MutableTensorView> outputs,
                             Workspace& workspace) const {
  const auto places = static_cast<size_t>(parallel_groups_);
  RETURN_IF_ERROR(
      workspace.Reserve(program.arena_bytes() * places, program.scratch_bytes() * places));
  const auto run = [&](int64_t group, size_t place) {
    return program.Run({.inputs = inputs,
                        .outputs = outputs,
                        .group = group,
                        .arena = workspace.arena() + place * program.arena_bytes(),
                        .scratch = workspace.scratch() + place * program.scratch_bytes()});
  };
  if (groups_ == 1) return run(0, 0);
  return backend::ForEachInParallel(parallel_groups_, groups_, run);
}

absl::Status Plan::Run(std::span<const TensorView> inputs,
                       std::span<const MutableTensorView> outputs, Workspace& workspace) const {
  LAZYNET_CHECK(inputs.size() == inputs_.size() && outputs.size() == outputs_.size());
  const absl::Status status = RunGroups(*program_, inputs, outputs, workspace);
  if (!absl::IsOutOfRange(status)) return status;
  ASSIGN_OR_RETURN(const Program* careful, program_->Careful());
  return RunGroups(*careful, inputs, outputs, workspace);
}

absl::Status Plan::Profile(std::span<const TensorView> inputs,
                           std::span<const MutableTensorView> outputs, Workspace& workspace,
                           std::span<std::chrono::nanoseconds> times) const {
  LAZYNET_CHECK(inputs.size() == inputs_.size() && outputs.size() == outputs_.size());
  RETURN_IF_ERROR(workspace.Reserve(arena_bytes(), scratch_bytes()));
  for (int64_t group = 0; group < groups_; ++group) {
    RETURN_IF_ERROR(program_->Profile({.inputs = inputs,
                                       .outputs = outputs,
                                       .group = group,
                                       .arena = workspace.arena(),
                                       .scratch = workspace.scratch()},
                                      times));
  }
  return absl::OkStatus();
}

}  // namespace lazynet::plan
