#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "engine/backend/backend.h"
#include "engine/nn/parameter_set.h"
#include "engine/plan/workspace.h"

namespace lazynet::plan {

struct PlanOptions {
  bool optimize = true;                      // run the graph passes
  size_t max_arena_bytes = size_t{8} << 30;  // of one plan's intermediate values
};

// What a plan takes or gives.
struct TensorSpec {
  DType dtype = DType::kFp32;
  Shape shape;
};

// An executable for one set of concrete input shapes. Immutable: many lanes may run it at once,
// each with its own workspace.
class Plan {
 public:
  // Lowers the network for these input shapes, runs the passes and prepares the kernels; weights
  // are packed into `packed`, which belongs to `parameters` (complete). INVALID_ARGUMENT when the
  // shapes do not fit, RESOURCE_EXHAUSTED when the intermediate values would be too large.
  static absl::StatusOr<std::shared_ptr<const Plan>> Build(const nn::Network& network,
                                                           const nn::ParameterSet& parameters,
                                                           std::span<const Shape> input_shapes,
                                                           const backend::Backend& backend,
                                                           backend::PackedWeights& packed,
                                                           const PlanOptions& options = {});

  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }

  // Runs on dense inputs and writes dense outputs, in the network's order; inputs and outputs must
  // have the specs above and must not overlap. Allocates only if the workspace has to grow.
  absl::Status Run(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs,
                   Workspace& workspace) const;

  // Runs, and adds to `times`, which has step_count() elements, how long each step took.
  absl::Status Profile(std::span<const TensorView> inputs,
                       std::span<const MutableTensorView> outputs, Workspace& workspace,
                       std::span<std::chrono::nanoseconds> times) const;

  size_t arena_bytes() const { return arena_bytes_; }
  size_t scratch_bytes() const { return scratch_bytes_; }

  // Bytes of the plan itself, without what the kernels' library holds for them.
  size_t bytes() const { return sizeof(Plan) + steps_.capacity() * sizeof(Step); }

  // One executed step, for people.
  struct StepInfo {
    std::string layer;
    std::string op;              // "convolution", "reorder"
    std::string implementation;  // the kernel's own name
  };
  std::vector<StepInfo> steps() const;
  size_t step_count() const { return steps_.size(); }

 private:
  friend class PlanBuilder;

  // Where a value lies when the plan runs.
  struct Location {
    enum class Kind { kNone, kArena, kInput, kOutput };
    Kind kind = Kind::kNone;
    size_t at = 0;  // arena: byte offset; input, output: index
  };

  struct Step {
    std::unique_ptr<backend::Kernel> kernel;
    absl::InlinedVector<Location, 5> srcs;
    Location dst;
    StepInfo info;
  };

  template <typename AfterStep>
  absl::Status RunSteps(std::span<const TensorView> inputs,
                        std::span<const MutableTensorView> outputs, Workspace& workspace,
                        const AfterStep& after_step) const;

  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::vector<Step> steps_;
  size_t arena_bytes_ = 0;
  size_t scratch_bytes_ = 0;
};

}  // namespace lazynet::plan
