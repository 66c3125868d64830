#include "engine/plan/plan.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "engine/backend/threads.h"
#include "engine/plan/batch_axes.h"
#include "engine/plan/cost.h"
#include "engine/plan/grouping.h"
#include "engine/plan/lowering.h"
#include "engine/plan/passes/bound_values.h"
#include "engine/plan/passes/choose_winograd.h"
#include "engine/plan/passes/fold_constants.h"
#include "engine/plan/passes/fold_normalization.h"
#include "engine/plan/passes/fuse_ops.h"
#include "engine/plan/passes/lower_precision.h"
#include "engine/plan/passes/remove_dead_ops.h"
#include "engine/plan/prepare_ahead.h"
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

// Some groups of a batch, and the network lowered for one of them.
struct LoweredGroups {
  Groups groups;
  std::vector<Shape> input_shapes;
  Graph graph;
};

// For how many more items a run takes the time that it takes whatever their number.
double OverheadInItems(const Graph& one, const Graph& whole, int64_t items) {
  const double time = EstimatedMicroseconds(one);
  const double per_item = (EstimatedMicroseconds(whole) - time) / static_cast<double>(items - 1);
  return per_item > 0 ? std::max(0.0, time - per_item) / per_item : 0;
}

// More items than are worth to be run together.
constexpr int64_t kMostItemsTogether = 64;

// The batch that a network was lowered for.
struct Batch {
  int64_t items = 0;         // 0: inputs differ in axis 0
  bool independent = false;  // whether each item is computed by itself
  std::optional<Graph> one;  // lowered for one of several independent items
};

Batch LookAtBatch(const Source& source, const Graph& whole, std::span<const Shape> input_shapes,
                  BatchFamilies& families) {
  Batch batch{.items = ItemsOf(input_shapes)};
  if (batch.items >= 2) {
    absl::StatusOr<Graph> one = source.LowerFor(WithItems(input_shapes, 1));
    batch.independent = one.ok() && FindBatchAxes(whole, *one, batch.items);
    if (batch.independent) batch.one = *std::move(one);
  } else if (batch.items == 1) {
    const std::vector<Shape> shapes(input_shapes.begin(), input_shapes.end());
    batch.independent = families.Find({shapes, true}) != nullptr;
    if (batch.independent || families.Find({shapes, false}) != nullptr) return batch;
    const absl::StatusOr<Graph> two = source.LowerFor(WithItems(input_shapes, 2));
    batch.independent = two.ok() && FindBatchAxes(*two, whole, 2);
  }
  return batch;
}

std::shared_ptr<BatchFamily> FamilyOf(const Batch& batch, const Graph& whole,
                                      std::span<const Shape> input_shapes,
                                      BatchFamilies& families) {
  const bool independent = batch.independent;
  BatchFamilies::Key key{{input_shapes.begin(), input_shapes.end()}, independent};
  if (independent) key.first = WithItems(input_shapes, 1);
  if (auto family = families.Find(key)) return family;
  const Graph& one = batch.one ? *batch.one : whole;
  const int64_t size = independent ? GroupSize(one, kMostItemsTogether, 1) : 1;
  const int64_t items = independent ? 1 : std::max<int64_t>(1, batch.items);
  const double of_item = EstimatedMicroseconds(one) / static_cast<double>(items);
  const std::chrono::nanoseconds time(static_cast<int64_t>(of_item * 1e3));
  return families.Insert(std::move(key), std::make_shared<BatchFamily>(independent, size, time));
}

// How to split the batch that `whole` was lowered for; nothing if it has to be run at once, or that
// is best.
std::vector<LoweredGroups> FindGroups(const Source& source, const Batch& batch, const Graph& whole,
                                      std::span<const Shape> input_shapes, int threads,
                                      int64_t wanted_size) {
  if (!batch.one) return {};
  const int64_t items = batch.items;
  const int64_t size = wanted_size > 0 ? wanted_size : GroupSize(*batch.one, items, threads);
  std::vector<LoweredGroups> split;
  for (const Groups& groups : SplitBatch(items, size, OverheadInItems(*batch.one, whole, items))) {
    if (groups.size == items) return {};
    std::vector<Shape> shapes = WithItems(input_shapes, groups.size);
    if (groups.size == 1) {
      split.push_back({groups, std::move(shapes), *batch.one});
      continue;
    }
    absl::StatusOr<Graph> several = source.LowerFor(shapes);
    if (!several.ok() || !FindBatchAxes(*several, *batch.one, groups.size)) return {};
    split.push_back({groups, std::move(shapes), *std::move(several)});
  }
  return split;
}

absl::StatusOr<std::shared_ptr<const Program>> BuildProgram(
    Graph graph, const backend::Backend& backend, backend::PackedWeights& packed, DType compute,
    int threads, const PlanOptions& options, PlanDescription* description) {
  const size_t max_bytes = options.max_arena_bytes;
  RemoveDeadOps(graph);
  RETURN_IF_ERROR(FoldConstants(graph, backend));
  const DType computed = compute == DType::kBf16 ? DType::kFp32 : compute;
  if (!options.optimize) {
    ProgramBuilder builder(graph, backend, packed, threads);
    builder.SetDescription(description);
    ASSIGN_OR_RETURN(auto program, builder.Build(max_bytes));
    program->set_compute_dtype(computed);
    return program;
  }
  FoldNormalization(graph);
  const bool lowered = compute == DType::kBf16 && LowerPrecision(graph, backend, compute);
  Graph careful = graph;
  FuseOps(graph, backend);
  ChooseWinograd(graph, backend);
  const auto ahead = PrepareAhead(graph, backend, packed, options.build_threads);
  ASSIGN_OR_RETURN(std::vector<CheckedValue> checks, BoundValues(graph, packed));
  ProgramBuilder builder(graph, backend, packed, threads);
  const bool checked = !checks.empty();
  builder.SetChecks(std::move(checks));
  builder.SetDescription(description);
  ASSIGN_OR_RETURN(std::shared_ptr<Program> program, builder.Build(max_bytes));
  program->set_compute_dtype(lowered ? compute : computed);
  if (checked) {
    program->SetCareful([=, &backend, &packed, graph = std::move(careful)] {
      return absl::StatusOr<std::shared_ptr<const Program>>(
          ProgramBuilder(graph, backend, packed, threads).Build(max_bytes));
    });
  }
  return program;
}

// What a part does, behind what the parts before it do. Their outputs are the same ones.
void Append(PlanDescription of_part, PlanDescription& description) {
  const int first = static_cast<int>(description.steps.size());
  const auto shift = [&](ValueInfo& value) {
    if (value.source == ValueInfo::Source::kStep) value.index += first;
  };
  for (StepInfo& step : of_part.steps) {
    for (ValueInfo& input : step.inputs) shift(input);
    if (step.output) shift(*step.output);
    description.steps.push_back(std::move(step));
  }
  if (first == 0) description.outputs = std::move(of_part.outputs);
}

std::vector<TensorSpec> SpecsOf(const Graph& graph, std::span<const backend::ValueId> ids) {
  std::vector<TensorSpec> specs;
  for (const backend::ValueId id : ids) {
    specs.push_back({graph.value(id).dtype, graph.value(id).shape});
  }
  return specs;
}

// Per output the input that it is, seen through reshapes.
std::vector<std::optional<size_t>> FindPassedOn(const Graph& graph) {
  std::vector<std::optional<size_t>> origins(graph.values.size());
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    origins[static_cast<size_t>(graph.inputs[i])] = i;
  }
  for (const backend::Op& op : graph.ops) {
    if (!std::holds_alternative<backend::Reshape>(op.kind)) continue;
    origins[static_cast<size_t>(op.output)] = origins[static_cast<size_t>(op.inputs[0])];
  }
  std::vector<std::optional<size_t>> passed_on;
  for (const backend::ValueId id : graph.outputs) {
    passed_on.push_back(origins[static_cast<size_t>(id)]);
  }
  return passed_on;
}

}  // namespace

std::vector<Shape> Plan::input_shapes() const {
  std::vector<Shape> shapes;
  shapes.reserve(inputs_.size());
  for (const TensorSpec& input : inputs_) shapes.push_back(input.shape);
  return shapes;
}

absl::StatusOr<std::vector<Tensor>> Plan::AllocateOutputs() const {
  std::vector<Tensor> outputs;
  for (const TensorSpec& spec : outputs_) {
    ASSIGN_OR_RETURN(outputs.emplace_back(), Tensor::Allocate(spec.dtype, spec.shape));
  }
  return outputs;
}

absl::StatusOr<std::shared_ptr<const Plan>> Plan::Build(
    const nn::Network& network, const nn::ParameterSet& parameters,
    std::span<const Shape> input_shapes, const backend::Backend& backend, SharedParts& shared,
    const PlanOptions& options, PlanDescription* description) {
  const Source source{network, parameters};
  ASSIGN_OR_RETURN(Graph graph, source.LowerFor(input_shapes));
  auto plan = std::make_shared<Plan>();
  plan->inputs_ = SpecsOf(graph, graph.inputs);
  plan->outputs_ = SpecsOf(graph, graph.outputs);
  plan->passed_on_ = FindPassedOn(graph);
  plan->gains_from_threads_ = EstimatedMicroseconds(graph) >= kWidePlanMicroseconds;
  const int threads = options.threads;
  plan->threads_ = threads;
  const Batch batch = LookAtBatch(source, graph, input_shapes, shared.families);
  plan->items_ = std::max<int64_t>(1, batch.items);
  plan->family_ = FamilyOf(batch, graph, input_shapes, shared.families);
  std::vector<LoweredGroups> split =
      FindGroups(source, batch, graph, input_shapes, threads, options.group_size);
  const bool is_split = !split.empty();
  if (!is_split)
    split.push_back({{}, {input_shapes.begin(), input_shapes.end()}, std::move(graph)});
  const bool is_one_run = split.size() == 1 && split.front().groups.count == 1;
  const int kernel_threads = is_one_run ? threads : 1;
  std::vector<Part> parts;
  int64_t first = 0;
  for (LoweredGroups& part : split) {
    ProgramStore::Key key{std::move(part.input_shapes), network.compute_dtype(), kernel_threads};
    std::shared_ptr<const Program> program;
    if (description == nullptr) program = shared.programs.Find(key);
    if (program == nullptr) {
      PlanDescription of_part;
      ASSIGN_OR_RETURN(program, BuildProgram(std::move(part.graph), backend, shared.packed,
                                             network.compute_dtype(), kernel_threads, options,
                                             description == nullptr ? nullptr : &of_part));
      if (description == nullptr) {
        program = shared.programs.Insert(std::move(key), std::move(program));
      } else {
        Append(std::move(of_part), *description);
      }
      // What was read to be packed is not read again.
      parameters.ReleasePages();
    }
    parts.push_back({std::move(program), part.groups, first});
    first += part.groups.size * part.groups.count;
  }
  plan->SetParts(std::move(parts), is_split ? batch.items : 1);
  if (plan->arena_bytes() > options.max_arena_bytes) {
    return ResourceExhausted("wants at most {} bytes of intermediate values, got {}",
                             options.max_arena_bytes, plan->arena_bytes());
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

void Plan::SetParts(std::vector<Part> parts, int64_t items) {
  parts_ = std::move(parts);
  const auto item_bytes = [&](const std::vector<TensorSpec>& specs) {
    std::vector<size_t> bytes;
    for (const TensorSpec& spec : specs) {
      bytes.push_back(ByteSize(spec.dtype, spec.shape) / static_cast<size_t>(items));
    }
    return bytes;
  };
  input_item_bytes_ = item_bytes(inputs_);
  output_item_bytes_ = item_bytes(outputs_);
  parallel_groups_ = static_cast<int>(std::min<int64_t>(groups(), threads_));
  for (const Part& part : parts_) {
    place_arena_bytes_ = std::max(place_arena_bytes_, part.program->arena_bytes());
    place_scratch_bytes_ = std::max(place_scratch_bytes_, part.program->scratch_bytes());
    if (part.groups.missing == 0) continue;
    size_t bytes = 0;
    for (const auto& sizes : {input_item_bytes_, output_item_bytes_}) {
      for (const size_t size : sizes) {
        bytes += Buffer::Align(size * static_cast<size_t>(part.groups.size));
      }
    }
    padded_bytes_ = std::max(padded_bytes_, bytes);
  }
}

int64_t Plan::groups() const {
  int64_t count = 0;
  for (const Part& part : parts_) count += part.groups.count;
  return count;
}

size_t Plan::own_bytes() const {
  return sizeof(Plan) + parts_.capacity() * sizeof(Part) +
         (inputs_.capacity() + outputs_.capacity()) * (sizeof(TensorSpec) + sizeof(size_t)) +
         passed_on_.capacity() * sizeof(passed_on_[0]);
}

size_t Plan::bytes() const {
  size_t bytes = own_bytes();
  for (const Part& part : parts_) bytes += part.program->bytes();
  return bytes;
}

size_t Plan::step_count() const {
  size_t count = 0;
  for (const Part& part : parts_) count += part.program->step_count();
  return count;
}

// Runs one group, in memory of its own where items are missing: with copies of the last one.
template <typename RunProgram>
absl::Status Plan::RunGroup(const Part& part, int64_t group, std::span<const TensorView> inputs,
                            std::span<const MutableTensorView> outputs, const Place& place,
                            const RunProgram& run) const {
  constexpr size_t kFew = 16;
  absl::InlinedVector<const std::byte*, kFew> srcs;
  absl::InlinedVector<std::byte*, kFew> dsts;
  const auto first = static_cast<size_t>(part.first + group * part.groups.size);
  for (size_t i = 0; i < inputs.size(); ++i) {
    srcs.push_back(inputs[i].data + first * input_item_bytes_[i]);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::byte* const data = outputs[i].data;
    dsts.push_back(data == nullptr ? data : data + first * output_item_bytes_[i]);
  }
  if (part.groups.missing == 0) return run(Program::Memory{srcs, dsts, place.arena, place.scratch});

  const auto size = static_cast<size_t>(part.groups.size);
  const size_t present = size - static_cast<size_t>(part.groups.missing);
  std::byte* free = place.padded;
  for (size_t i = 0; i < srcs.size(); ++i) {
    const size_t bytes = input_item_bytes_[i];
    std::memcpy(free, srcs[i], present * bytes);
    for (size_t item = present; item < size; ++item) {
      std::memcpy(free + item * bytes, srcs[i] + (present - 1) * bytes, bytes);
    }
    srcs[i] = free;
    free += Buffer::Align(size * bytes);
  }
  absl::InlinedVector<std::byte*, kFew> padded;
  for (const size_t bytes : output_item_bytes_) {
    padded.push_back(free);
    free += Buffer::Align(size * bytes);
  }
  RETURN_IF_ERROR(run(Program::Memory{srcs, padded, place.arena, place.scratch}));
  for (size_t i = 0; i < dsts.size(); ++i) {
    if (dsts[i] != nullptr) std::memcpy(dsts[i], padded[i], present * output_item_bytes_[i]);
  }
  return absl::OkStatus();
}

absl::Status Plan::RunAll(std::span<const TensorView> inputs,
                          std::span<const MutableTensorView> outputs, Workspace& workspace,
                          bool careful) const {
  absl::InlinedVector<const Program*, 8> programs;
  size_t arena_bytes = 0;
  size_t scratch_bytes = 0;
  for (const Part& part : parts_) {
    programs.push_back(part.program.get());
    if (careful) {
      ASSIGN_OR_RETURN(programs.back(), part.program->Careful());
    }
    arena_bytes = std::max(arena_bytes, programs.back()->arena_bytes());
    scratch_bytes = std::max(scratch_bytes, programs.back()->scratch_bytes());
  }
  RETURN_IF_ERROR(
      workspace.Reserve((arena_bytes + padded_bytes_) * places(), scratch_bytes * places()));
  const auto run = [&](int64_t group, size_t place) {
    size_t part = 0;
    while (group >= parts_[part].groups.count) group -= parts_[part++].groups.count;
    std::byte* const arena = workspace.arena() + place * (arena_bytes + padded_bytes_);
    const Place memory{arena, arena + arena_bytes, workspace.scratch() + place * scratch_bytes};
    return RunGroup(parts_[part], group, inputs, outputs, memory,
                    [&](const Program::Memory& of_group) { return programs[part]->Run(of_group); });
  };
  const int64_t count = groups();
  return count == 1 ? run(0, 0) : backend::ForEachInParallel(parallel_groups_, count, run);
}

absl::Status Plan::Run(std::span<const TensorView> inputs,
                       std::span<const MutableTensorView> outputs, Workspace& workspace) const {
  LAZYNET_CHECK(inputs.size() == inputs_.size() && outputs.size() == outputs_.size());
  const absl::Status status = RunAll(inputs, outputs, workspace, false);
  return absl::IsOutOfRange(status) ? RunAll(inputs, outputs, workspace, true) : status;
}

absl::StatusOr<std::vector<Tensor>> Plan::Run(std::span<const Tensor> inputs,
                                              Workspace& workspace) const {
  LAZYNET_CHECK(inputs.size() == inputs_.size());
  constexpr size_t kFew = 4;
  absl::InlinedVector<TensorView, kFew> sources;
  for (const Tensor& input : inputs) sources.push_back(input.view());
  std::vector<Tensor> outputs;
  outputs.reserve(outputs_.size());
  absl::InlinedVector<MutableTensorView, kFew> destinations;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const auto& [dtype, shape] = outputs_[i];
    if (passed_on_[i]) {
      outputs.push_back(inputs[*passed_on_[i]].Part(shape));
      destinations.push_back({dtype, shape, nullptr});
    } else {
      ASSIGN_OR_RETURN(outputs.emplace_back(), Tensor::Allocate(dtype, shape));
      destinations.push_back(outputs.back().mutable_view());
    }
  }
  RETURN_IF_ERROR(Run(sources, destinations, workspace));
  return outputs;
}

absl::Status Plan::Profile(std::span<const TensorView> inputs,
                           std::span<const MutableTensorView> outputs, Workspace& workspace,
                           std::span<std::chrono::nanoseconds> times) const {
  LAZYNET_CHECK(inputs.size() == inputs_.size() && outputs.size() == outputs_.size());
  LAZYNET_CHECK(times.size() == step_count());
  RETURN_IF_ERROR(workspace.Reserve(place_arena_bytes_ + padded_bytes_, place_scratch_bytes_));
  const Place place{workspace.arena(), workspace.arena() + place_arena_bytes_, workspace.scratch()};
  for (const Part& part : parts_) {
    const auto of_part = times.first(part.program->step_count());
    times = times.subspan(of_part.size());
    for (int64_t group = 0; group < part.groups.count; ++group) {
      RETURN_IF_ERROR(RunGroup(
          part, group, inputs, outputs, place,
          [&](const Program::Memory& memory) { return part.program->Profile(memory, of_part); }));
    }
  }
  return absl::OkStatus();
}

}  // namespace lazynet::plan
