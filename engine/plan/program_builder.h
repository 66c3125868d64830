#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/arena.h"
#include "engine/plan/description.h"
#include "engine/plan/passes/bound_values.h"
#include "engine/plan/program.h"
#include "engine/plan/value_uses.h"

namespace lazynet::plan {

// Turns an op graph into the steps of a program: asks the backend for kernels in order, lets
// layouts spread from one op to the next, puts reorders where a kernel wants another layout, makes
// views of reshapes, lets kernels work in place, and places what is left in one arena.
class ProgramBuilder {
 public:
  // Kernels use up to `threads` threads: those of large ops all, the others one.
  ProgramBuilder(const backend::Graph& graph, const backend::Backend& backend,
                 backend::PackedWeights& packed, int threads = 1);

  // Values whose range is checked before an op runs, by ascending op.
  void SetChecks(std::vector<CheckedValue> checks) { checks_ = std::move(checks); }

  // Where to say what the steps of the program are.
  void SetDescription(PlanDescription* description) { description_ = description; }

  // RESOURCE_EXHAUSTED when the intermediate values would be larger than allowed.
  absl::StatusOr<std::shared_ptr<Program>> Build(size_t max_arena_bytes);

 private:
  using ValueId = backend::ValueId;
  using LayoutPtr = backend::LayoutPtr;
  using Kind = Program::Location::Kind;

  // A piece of memory: an input or output of the program, or a part of the arena. Values that are
  // views of each other, or that a kernel overwrites in place, share one.
  struct Storage {
    Kind kind = Kind::kArena;
    size_t index = 0;  // of the input or output
    Lifetime lifetime;
  };

  // Where a value lies, how, and which step wrote it; -1: it is an input of the program.
  struct Placement {
    int storage = -1;
    LayoutPtr layout;
    int step = -1;
  };

  void AddCheck(ValueId id);
  absl::Status AddOp(const backend::Op& op, int op_index);
  absl::Status AddOneByOne(const backend::Op& op, int op_index);
  std::optional<int> FindDst(const backend::PreparedOp& prepared,
                             const std::vector<ValueId>& operands,
                             const std::vector<Placement>& srcs, size_t bytes, int op_index);
  absl::Status AddOutputs();
  absl::StatusOr<Placement> InLayout(ValueId id, const LayoutPtr& wanted);
  absl::Status AddReorder(ValueId id, const Placement& from, Placement& to);
  int AddStep(backend::PreparedOp prepared, std::vector<int> srcs, int dst);
  ValueInfo Describe(ValueId id, const Placement& placement) const;
  // The steps beside those of ops; `to` is null for one that writes nothing.
  void DescribeStep(std::string op, std::string implementation, ValueId id, const Placement& from,
                    const Placement* to);
  int NewStorage(size_t bytes);
  bool MayOverwrite(ValueId id, const Placement& placement, size_t bytes, int op_index) const;
  void PlaceStorages(Program& program) const;

  // A step with storages in place of locations.
  struct PendingStep {
    std::unique_ptr<backend::Kernel> kernel;
    std::vector<int> srcs;  // storage, or -1
    int dst = -1;
    int threads = 1;
  };

  const backend::Graph& graph_;
  const backend::Backend& backend_;
  backend::PackedWeights& packed_;
  const int max_threads_;
  int threads_ = 1;  // of the op that is being added
  std::vector<CheckedValue> checks_;
  PlanDescription* description_ = nullptr;
  const ValueUses uses_;
  std::vector<Placement> placements_;  // per value; storage -1 for constants and empty values
  std::map<ValueId, std::vector<Placement>> copies_;  // of a value in other layouts
  std::vector<Storage> storages_;
  std::vector<PendingStep> steps_;
  size_t scratch_bytes_ = 0;
  size_t kernel_bytes_ = 0;
};

}  // namespace lazynet::plan
