#pragma once

#include <map>
#include <utility>
#include <vector>

#include "engine/plan/arena.h"
#include "engine/plan/plan.h"

namespace lazynet::plan {

// Turns an op graph into the steps of a plan: asks the backend for kernels in order, lets layouts
// spread from one op to the next, puts reorders where a kernel wants another layout, makes views of
// reshapes, lets kernels work in place, and places what is left in one arena.
class PlanBuilder {
 public:
  PlanBuilder(const backend::Graph& graph, const backend::Backend& backend,
              backend::PackedWeights& packed);

  absl::StatusOr<std::shared_ptr<const Plan>> Build(const PlanOptions& options);

 private:
  using ValueId = backend::ValueId;
  using LayoutPtr = backend::LayoutPtr;
  using Kind = Plan::Location::Kind;

  // A piece of memory: an input or output of the plan, or a part of the arena. Values that are
  // views of each other, or that a kernel overwrites in place, share one.
  struct Storage {
    Kind kind = Kind::kArena;
    size_t index = 0;  // of the input or output
    Lifetime lifetime;
  };

  // Where a value lies, and how.
  struct Placement {
    int storage = -1;
    LayoutPtr layout;
  };

  void FindLastUses();
  int last_use(ValueId id) const {
    return last_use_[static_cast<size_t>(root_[static_cast<size_t>(id)])];
  }
  absl::Status AddOp(int op_index);
  absl::Status AddOutputs();
  absl::StatusOr<Placement> InLayout(ValueId id, const LayoutPtr& wanted);
  absl::Status AddReorder(ValueId id, const Placement& from, const Placement& to);
  void AddStep(backend::PreparedOp prepared, std::vector<int> srcs, int dst, Plan::StepInfo info);
  int NewStorage(size_t bytes);
  bool MayOverwrite(ValueId id, const Placement& placement, size_t bytes, int op_index) const;
  void PlaceStorages(Plan& plan) const;

  // A step with storages in place of locations.
  struct PendingStep {
    std::unique_ptr<backend::Kernel> kernel;
    std::vector<int> srcs;  // storage, or -1
    int dst = -1;
    Plan::StepInfo info;
  };

  const backend::Graph& graph_;
  const backend::Backend& backend_;
  backend::PackedWeights& packed_;
  std::vector<ValueId> root_;  // per value: what it is a view of, itself if nothing
  std::vector<int> last_use_;  // per root: index of the last op that reads it, or of the end
  std::vector<Placement> placements_;  // per value; storage -1 for constants and empty values
  std::map<ValueId, std::vector<Placement>> copies_;  // of a value in other layouts
  std::vector<Storage> storages_;
  std::vector<PendingStep> steps_;
  size_t scratch_bytes_ = 0;
};

}  // namespace lazynet::plan
