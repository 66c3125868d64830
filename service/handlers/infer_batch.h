#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "engine/plan/plan.h"
#include "engine/plan/workspace.h"
#include "service/handlers/infer_job.h"

namespace lazynet::handlers {

// Requests of one network and one family that are run together, on a lane.
class InferBatch {
 public:
  explicit InferBatch(std::span<scheduling::LaneJob* const> jobs);

  // Computes, with so many threads, and ends every request. Where there is no plan for all of them
  // together, one is asked for, and they are run in parts that there are plans for.
  void Run(plan::Workspace& workspace, int threads);

 private:
  using Part = std::span<InferJob* const>;

  static std::shared_ptr<const plan::Plan> FindPlan(Part part);
  static absl::StatusOr<std::vector<Tensor>> Gather(Part part, const plan::Plan& plan);
  static absl::StatusOr<std::vector<Tensor>> Compute(Part part, const plan::Plan& plan,
                                                     plan::Workspace& workspace,
                                                     InferJob::Clock::time_point start,
                                                     hosting::RequestTimes& times);
  static void RunPart(Part part, const plan::Plan& plan, plan::Workspace& workspace, int threads);
  static void Answer(Part part, const plan::Plan& plan,
                     const absl::StatusOr<std::vector<Tensor>>& outputs,
                     const hosting::RequestTimes& times);

  absl::InlinedVector<InferJob*, 8> jobs_;
};

}  // namespace lazynet::handlers
