#include "engine/plan/program_builder.h"

#include <algorithm>

#include "engine/backend/threads.h"
#include "engine/plan/cost.h"
#include "engine/plan/range_check.h"

namespace lazynet::plan {

using backend::kNoValue;
using backend::Op;
using backend::PreparedOp;
using backend::Value;

ProgramBuilder::ProgramBuilder(const backend::Graph& graph, const backend::Backend& backend,
                               backend::PackedWeights& packed, int threads)
    : graph_(graph),
      backend_(backend),
      packed_(packed),
      max_threads_(threads),
      uses_(graph),
      placements_(graph.values.size()) {}

int ProgramBuilder::NewStorage(size_t bytes) {
  storages_.push_back({.lifetime = {.bytes = bytes,
                                    .first = static_cast<int>(steps_.size()),
                                    .last = static_cast<int>(steps_.size())}});
  return static_cast<int>(storages_.size()) - 1;
}

int ProgramBuilder::AddStep(PreparedOp prepared, std::vector<int> srcs, int dst) {
  const int now = static_cast<int>(steps_.size());
  for (const int src : srcs) {
    if (src >= 0) storages_[static_cast<size_t>(src)].lifetime.last = now;
  }
  storages_[static_cast<size_t>(dst)].lifetime.last = now;
  scratch_bytes_ = std::max(scratch_bytes_, prepared.scratch_bytes);
  kernel_bytes_ += prepared.kernel_bytes;
  steps_.push_back({std::move(prepared.kernel), std::move(srcs), dst, threads_});
  return now;
}

ValueInfo ProgramBuilder::Describe(ValueId id, const Placement& placement) const {
  ValueInfo info = DescribeValue(graph_, id);
  if (placement.storage < 0) return info;
  info.layout = backend::LayoutName(placement.layout);
  info.bytes = backend::LayoutBytes(graph_.value(id), placement.layout);
  const Storage& storage = storages_[static_cast<size_t>(placement.storage)];
  const bool written = placement.step >= 0;
  info.source = written ? ValueInfo::Source::kStep : ValueInfo::Source::kInput;
  info.index = written ? placement.step : static_cast<int>(storage.index);
  return info;
}

void ProgramBuilder::DescribeStep(std::string op, std::string implementation, ValueId id,
                                  const Placement& from, const Placement* to) {
  if (description_ == nullptr) return;
  StepInfo& info = description_->steps.emplace_back();
  info.op = std::move(op);
  info.implementation = std::move(implementation);
  info.threads = threads_;
  info.inputs = {Describe(id, from)};
  if (to != nullptr) info.output = Describe(id, *to);
  info.estimated_microseconds = MicrosecondsToMove(BytesRead(info) + BytesWritten(info));
}

// Says in `to` which step writes it.
absl::Status ProgramBuilder::AddReorder(ValueId id, const Placement& from, Placement& to) {
  ASSIGN_OR_RETURN(PreparedOp reorder,
                   backend_.PrepareReorder(graph_.value(id), from.layout, to.layout));
  std::string implementation = reorder.implementation;
  to.step = AddStep(std::move(reorder), {from.storage}, to.storage);
  DescribeStep("reorder", std::move(implementation), id, from, &to);
  return absl::OkStatus();
}

absl::StatusOr<ProgramBuilder::Placement> ProgramBuilder::InLayout(ValueId id,
                                                                   const LayoutPtr& wanted) {
  const Placement& own = placements_[static_cast<size_t>(id)];
  if (backend::SameLayout(own.layout, wanted)) return own;
  for (const Placement& copy : copies_[id]) {
    if (backend::SameLayout(copy.layout, wanted)) return copy;
  }
  Placement copy{NewStorage(backend::LayoutBytes(graph_.value(id), wanted)), wanted};
  RETURN_IF_ERROR(AddReorder(id, own, copy));
  copies_[id].push_back(copy);
  return copy;
}

bool ProgramBuilder::MayOverwrite(ValueId id, const Placement& placement, size_t bytes,
                                  int op_index) const {
  const Storage& storage = storages_[static_cast<size_t>(placement.storage)];
  return storage.kind == Kind::kArena && storage.lifetime.bytes == bytes &&
         uses_.last(id) == op_index;
}

void ProgramBuilder::AddCheck(ValueId id) {
  const Value& value = graph_.value(id);
  const Placement& placement = placements_[static_cast<size_t>(id)];
  if (value.shape.num_elements() == 0) return;
  const size_t count = backend::LayoutBytes(value, placement.layout) / SizeOf(value.dtype);
  PreparedOp check;
  check.kernel = MakeRangeCheck(value.dtype, count);
  AddStep(std::move(check), {placement.storage}, placement.storage);
  DescribeStep("range_check", "", id, placement, nullptr);
}

// Where an op's result is written; nothing if it would have to overwrite what is still needed.
std::optional<int> ProgramBuilder::FindDst(const PreparedOp& prepared,
                                           const std::vector<ValueId>& operands,
                                           const std::vector<Placement>& srcs, size_t bytes,
                                           int op_index) {
  if (prepared.adds_to < 0) {
    return prepared.in_place && MayOverwrite(operands[0], srcs[0], bytes, op_index)
               ? srcs[0].storage
               : NewStorage(bytes);
  }
  const auto to = static_cast<size_t>(prepared.adds_to);
  if (!MayOverwrite(operands[to], srcs[to], bytes, op_index)) return std::nullopt;
  for (size_t i = 0; i < srcs.size(); ++i) {
    if (i != to && srcs[i].storage == srcs[to].storage) return std::nullopt;
  }
  return srcs[to].storage;
}

absl::Status ProgramBuilder::AddOneByOne(const Op& op, int op_index) {
  Op first = op;
  first.fused.clear();
  RETURN_IF_ERROR(AddOp(first, op_index));
  for (const Op& next : op.fused) RETURN_IF_ERROR(AddOp(next, op_index));
  return absl::OkStatus();
}

absl::Status ProgramBuilder::AddOp(const Op& op, int op_index) {
  const Value& output = graph_.value(op.result());
  Placement& placement = placements_[static_cast<size_t>(op.result())];
  // Kernels never see empty tensors: this oneDNN crashes on some, and there is nothing to compute.
  if (output.shape.num_elements() == 0) return absl::OkStatus();
  if (std::holds_alternative<backend::Reshape>(op.kind)) {
    ASSIGN_OR_RETURN(placement, InLayout(op.inputs[0], nullptr));
    return absl::OkStatus();
  }
  const std::vector<ValueId> operands = OperandsOf(op);
  std::vector<LayoutPtr> layouts;
  for (const ValueId id : operands) {
    layouts.push_back(id == kNoValue ? nullptr : placements_[static_cast<size_t>(id)].layout);
  }
  absl::StatusOr<PreparedOp> prepared = backend_.Prepare(graph_, op, layouts, packed_);
  if (!op.fused.empty() && absl::IsUnimplemented(prepared.status())) {
    return AddOneByOne(op, op_index);
  }
  if (!prepared.ok()) return Annotate(fmt::format("layer \"{}\"", op.layer), prepared.status());

  std::vector<Placement> srcs;
  std::vector<int> storages;
  for (size_t i = 0; i < operands.size(); ++i) {
    const ValueId id = operands[i];
    Placement src;
    if (id != kNoValue && !graph_.value(id).is_constant()) {
      ASSIGN_OR_RETURN(src, InLayout(id, prepared->src_layouts[i]));
    }
    srcs.push_back(src);
    storages.push_back(src.storage);
  }
  const size_t bytes = backend::LayoutBytes(output, prepared->dst_layout);
  const std::optional<int> dst = FindDst(*prepared, operands, srcs, bytes, op_index);
  if (!dst) return AddOneByOne(op, op_index);
  std::string implementation = prepared->implementation;
  placement.storage = *dst;
  placement.layout = prepared->dst_layout;
  placement.step = AddStep(*std::move(prepared), std::move(storages), *dst);
  if (description_ == nullptr) return absl::OkStatus();
  StepInfo& info = description_->steps.emplace_back(DescribeOp(graph_, op));
  info.implementation = std::move(implementation);
  info.threads = threads_;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i] != kNoValue) info.inputs.push_back(Describe(operands[i], srcs[i]));
  }
  info.output = Describe(op.result(), placement);
  return absl::OkStatus();
}

// An output is written where it was computed when that is possible: its storage becomes the
// caller's memory. Otherwise it is copied at the end.
absl::Status ProgramBuilder::AddOutputs() {
  for (size_t i = 0; i < graph_.outputs.size(); ++i) {
    const ValueId id = graph_.outputs[i];
    const Placement from = placements_[static_cast<size_t>(id)];
    Placement to = from;
    if (graph_.value(id).shape.num_elements() > 0) {
      Storage& storage = storages_[static_cast<size_t>(from.storage)];
      if (storage.kind == Kind::kArena && from.layout == nullptr) {
        storage.kind = Kind::kOutput;
        storage.index = i;
      } else {
        to = Placement{NewStorage(0), nullptr};
        storages_.back().kind = Kind::kOutput;
        storages_.back().index = i;
        RETURN_IF_ERROR(AddReorder(id, from, to));
      }
    }
    if (description_ != nullptr) description_->outputs.push_back(Describe(id, to));
  }
  return absl::OkStatus();
}

void ProgramBuilder::PlaceStorages(Program& program) const {
  std::vector<Lifetime> lifetimes;
  for (const Storage& storage : storages_) {
    if (storage.kind == Kind::kArena) lifetimes.push_back(storage.lifetime);
  }
  const ArenaLayout arena = PlaceInArena(lifetimes);
  program.arena_bytes_ = arena.bytes;
  std::vector<Program::Location> locations;
  size_t next = 0;
  for (const Storage& storage : storages_) {
    const bool in_arena = storage.kind == Kind::kArena;
    locations.push_back({storage.kind, in_arena ? arena.offsets[next++] : storage.index});
  }
  for (size_t i = 0; i < steps_.size(); ++i) {
    for (const int src : steps_[i].srcs) {
      program.steps_[i].srcs.push_back(src < 0 ? Program::Location{}
                                               : locations[static_cast<size_t>(src)]);
    }
    program.steps_[i].dst = locations[static_cast<size_t>(steps_[i].dst)];
  }
}

absl::StatusOr<std::shared_ptr<Program>> ProgramBuilder::Build(size_t max_arena_bytes) {
  // A first, cheap check, before kernels are made for values that cannot be held anyway.
  for (const Value& value : graph_.values) {
    if (!value.is_constant() && ByteSize(value.dtype, value.shape) > max_arena_bytes) {
      return ResourceExhausted("a value of shape {} wants more than the {} bytes of a plan",
                               value.shape.ToString(), max_arena_bytes);
    }
  }
  for (size_t i = 0; i < graph_.inputs.size(); ++i) {
    placements_[static_cast<size_t>(graph_.inputs[i])].storage = static_cast<int>(i);
    storages_.push_back({.kind = Kind::kInput, .index = i});
  }
  for (size_t i = 0; i < graph_.ops.size(); ++i) {
    const Op& op = graph_.ops[i];
    const bool wide = EstimatedMicroseconds(graph_, op) >= kWideOpMicroseconds;
    threads_ = 1;
    for (const CheckedValue& check : checks_) {
      if (check.before_op == i) AddCheck(check.value);
    }
    threads_ = wide ? max_threads_ : 1;
    backend::SetKernelThreads(threads_);
    RETURN_IF_ERROR(AddOp(op, static_cast<int>(i)));
  }
  RETURN_IF_ERROR(AddOutputs());

  auto program = std::make_shared<Program>();
  program->steps_.resize(steps_.size());
  PlaceStorages(*program);
  size_t pointers = 0;
  for (const Program::Step& step : program->steps_) pointers = std::max(pointers, step.srcs.size());
  program->pointer_bytes_ = Buffer::Align(pointers * sizeof(std::byte*));
  program->scratch_bytes_ = program->pointer_bytes_ + scratch_bytes_;
  program->kernel_bytes_ = kernel_bytes_;
  if (program->arena_bytes_ + program->scratch_bytes_ > max_arena_bytes) {
    return ResourceExhausted("wants at most {} bytes of intermediate values, got {}",
                             max_arena_bytes, program->arena_bytes_ + program->scratch_bytes_);
  }
  for (size_t i = 0; i < steps_.size(); ++i) {
    program->steps_[i].kernel = std::move(steps_[i].kernel);
    program->steps_[i].threads = steps_[i].threads;
  }
  return program;
}

}  // namespace lazynet::plan
