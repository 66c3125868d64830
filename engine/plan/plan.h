#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/nn/parameter_set.h"
#include "engine/plan/batch_family.h"
#include "engine/plan/description.h"
#include "engine/plan/grouping.h"
#include "engine/plan/program.h"
#include "engine/plan/shared_parts.h"
#include "engine/plan/workspace.h"

namespace lazynet::plan {

struct PlanOptions {
  bool optimize = true;                      // run the graph passes
  size_t max_arena_bytes = size_t{8} << 30;  // of one plan's intermediate values
  int threads = 1;                           // that a run may use, >= 1; small ops use one
  int build_threads = 1;                     // that pack weights
  int64_t group_size = 0;                    // items that are run at a time; 0: as GroupSize says
};

// What a plan takes or gives.
struct TensorSpec {
  DType dtype = DType::kFp32;
  Shape shape;
};

// An executable for one set of concrete input shapes. Immutable: many lanes may run it at once,
// each with its own workspace.
//
// A batch whose items do not depend on each other is run in groups of items, which several threads
// may share; SplitBatch says in which. Other batches are run as a whole, and then it is the kernels
// that use the threads.
class Plan {
 public:
  // Lowers the network for these input shapes, runs the passes and prepares the kernels, with what
  // `shared` has already; that belongs to `parameters` (complete). Backend and `shared` outlive the
  // plan. INVALID_ARGUMENT when the shapes do not fit, RESOURCE_EXHAUSTED when the intermediate
  // values would be too large.
  // With a `description` that is filled in, and the programs are made anew and shared with no other
  // plan; of `shared` only the packed weights are used.
  static absl::StatusOr<std::shared_ptr<const Plan>> Build(
      const nn::Network& network, const nn::ParameterSet& parameters,
      std::span<const Shape> input_shapes, const backend::Backend& backend, SharedParts& shared,
      const PlanOptions& options = {}, PlanDescription* description = nullptr);

  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }
  std::vector<Shape> input_shapes() const;

  // Memory for the outputs of a run. RESOURCE_EXHAUSTED when there is none.
  absl::StatusOr<std::vector<Tensor>> AllocateOutputs() const;

  // The input that an output is, in another shape maybe; nothing if it is computed.
  std::optional<size_t> PassedOn(size_t output) const { return passed_on_[output]; }

  // Runs on dense inputs of the specs above. What is passed on shares the input's memory; the other
  // outputs are allocated. RESOURCE_EXHAUSTED when there is no memory for them, else as below.
  absl::StatusOr<std::vector<Tensor>> Run(std::span<const Tensor> inputs,
                                          Workspace& workspace) const;

  // Runs on dense inputs and writes dense outputs, in the network's order; inputs and outputs must
  // have the specs above and must not overlap. An output that is passed on is left out where it has
  // no data. Allocates only if the workspace has to grow, or when
  // for the first time a value is NaN or so large that the fast kernels would not see an overflow:
  // then, and whenever that happens, the run is made again by slower ones.
  absl::Status Run(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs,
                   Workspace& workspace) const;

  // Runs one group after the other, and adds to `times`, which has an element for each step, how
  // long each step took in all groups. OUT_OF_RANGE for values that a run would be made again for.
  absl::Status Profile(std::span<const TensorView> inputs,
                       std::span<const MutableTensorView> outputs, Workspace& workspace,
                       std::span<std::chrono::nanoseconds> times) const;

  // BF16 if values between ops are kept in that; else what the network's parameters are computed
  // in, also where BF16 was asked for and the backend has no such kernels.
  DType compute_dtype() const { return parts_.front().program->compute_dtype(); }

  // Groups of equal size, which are run by one program.
  struct Part {
    std::shared_ptr<const Program> program;
    Groups groups;      // a batch that is run as a whole is one item
    int64_t first = 0;  // item
  };
  const std::vector<Part>& parts() const { return parts_; }

  // How many groups a run consists of, and how many of them run at the same time.
  int64_t groups() const;
  int parallel_groups() const { return parallel_groups_; }

  // What a workspace needs.
  size_t arena_bytes() const { return (place_arena_bytes_ + padded_bytes_) * places(); }
  size_t scratch_bytes() const { return place_scratch_bytes_ * places(); }

  // Whether it is large enough to be faster with more threads.
  bool gains_from_threads() const { return gains_from_threads_; }

  // True once: for who sees to the plan with more threads.
  bool ClaimWidening() const {
    return !widening_claimed_.load(std::memory_order_relaxed) &&
           !widening_claimed_.exchange(true, std::memory_order_relaxed);
  }

  // How many a run uses: the options', or 1 when it does not gain.
  int threads() const { return threads_; }

  // What it has in common with the plans for other batch sizes. Its items are computed by
  // themselves if and only if the family is independent; each output has them along axis 0 then.
  BatchFamily& family() const { return *family_; }
  int64_t items() const { return items_; }  // sizes of axis 0; 1 if inputs differ in them

  // Bytes of the plan, without its programs, which plans of other batch sizes may have in common,
  // and with them.
  size_t own_bytes() const;
  size_t bytes() const;

  // Of all parts, one behind the other.
  size_t step_count() const;

 private:
  // The memory of one of the groups that run at the same time.
  struct Place {
    std::byte* arena = nullptr;
    std::byte* padded = nullptr;  // inputs and outputs of a group with missing items
    std::byte* scratch = nullptr;
  };

  size_t places() const { return static_cast<size_t>(parallel_groups_); }
  void SetParts(std::vector<Part> parts, int64_t items);
  template <typename RunProgram>
  absl::Status RunGroup(const Part& part, int64_t group, std::span<const TensorView> inputs,
                        std::span<const MutableTensorView> outputs, const Place& place,
                        const RunProgram& run) const;
  absl::Status RunAll(std::span<const TensorView> inputs,
                      std::span<const MutableTensorView> outputs, Workspace& workspace,
                      bool careful) const;

  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::vector<std::optional<size_t>> passed_on_;  // per output
  std::vector<size_t> input_item_bytes_;
  std::vector<size_t> output_item_bytes_;
  std::vector<Part> parts_;
  int parallel_groups_ = 1;
  size_t place_arena_bytes_ = 0;
  size_t place_scratch_bytes_ = 0;
  size_t padded_bytes_ = 0;  // of the largest group with missing items
  bool gains_from_threads_ = false;
  mutable std::atomic<bool> widening_claimed_ = false;
  int threads_ = 1;
  std::shared_ptr<BatchFamily> family_;
  int64_t items_ = 1;
};

}  // namespace lazynet::plan
