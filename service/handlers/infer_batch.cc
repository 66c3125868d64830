#include "service/handlers/infer_batch.h"

#include <chrono>
#include <memory>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/infer_outputs.h"

namespace lazynet::handlers {
namespace {

using Clock = scheduling::LaneJob::Clock;

// The input shapes of so many items.
std::vector<Shape> ShapesOf(const plan::Plan& plan, int64_t items) {
  std::vector<Shape> shapes = plan.input_shapes();
  for (Shape& shape : shapes) shape.set_dim(0, items);
  return shapes;
}

template <typename Jobs>
int64_t ItemsOf(const Jobs& jobs) {
  int64_t items = 0;
  for (const InferJob* job : jobs) items += job->items();
  return items;
}

}  // namespace

InferBatch::InferBatch(std::span<scheduling::LaneJob* const> jobs) {
  for (scheduling::LaneJob* job : jobs) jobs_.push_back(static_cast<InferJob*>(job));
}

// One job has a plan; several have one if it is there already.
std::shared_ptr<const plan::Plan> InferBatch::FindPlan(Part part) {
  const hosting::Executable& first = part.front()->executable_;
  if (part.size() == 1) return first.plan;
  auto plan = first.bound->plans.Find(ShapesOf(*first.plan, ItemsOf(part)));
  return plan != nullptr && &plan->family() == &first.plan->family() ? plan : nullptr;
}

void InferBatch::Run(plan::Workspace& workspace, int threads) {
  const Part all(jobs_);
  if (all.size() == 1 && threads > 1) {
    const auto wide = all.front()->executable_.wide;
    return RunPart(all, *wide, workspace, threads);
  }
  size_t first = 0;
  while (first < all.size()) {
    size_t count = all.size() - first;
    std::shared_ptr<const plan::Plan> plan = FindPlan(all.subspan(first, count));
    if (plan == nullptr) {
      InferJob& job = *all[first];
      job.service_.build_lane().AddPlan(
          job.network_, job.executable_,
          ShapesOf(*job.executable_.plan, ItemsOf(all.subspan(first, count))));
    }
    while (plan == nullptr) plan = FindPlan(all.subspan(first, --count));
    RunPart(all.subspan(first, count), *plan, workspace, 1);
    first += count;
  }
}

// The inputs of all jobs, one behind the other.
absl::StatusOr<std::vector<Tensor>> InferBatch::Gather(Part part, const plan::Plan& plan) {
  std::vector<Tensor> inputs;
  inputs.reserve(plan.inputs().size());
  for (size_t i = 0; i < plan.inputs().size(); ++i) {
    const plan::TensorSpec& spec = plan.inputs()[i];
    ASSIGN_OR_RETURN(inputs.emplace_back(), Tensor::Allocate(spec.dtype, spec.shape));
    MutableTensorView of_job = inputs.back().mutable_view();
    for (InferJob* job : part) {
      of_job.shape = job->checked_.shapes[i];
      RETURN_IF_ERROR(
          GatherInput(job->network_->network(), i, job->request_, job->checked_, of_job));
      of_job.data += of_job.bytes();
    }
  }
  // Others of them may have to be gathered again, each alone.
  if (part.size() == 1) part.front()->ForgetInputs();
  return inputs;
}

absl::StatusOr<std::vector<Tensor>> InferBatch::Compute(Part part, const plan::Plan& plan,
                                                        plan::Workspace& workspace,
                                                        Clock::time_point start,
                                                        hosting::RequestTimes& times) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, Gather(part, plan));
  const auto gathered = Clock::now();
  times.compute_input = gathered - start;
  ASSIGN_OR_RETURN(std::vector<Tensor> outputs, plan.Run(inputs, workspace));
  times.compute_infer = Clock::now() - gathered;
  return outputs;
}

void InferBatch::RunPart(Part part, const plan::Plan& plan, plan::Workspace& workspace,
                         int threads) {
  const auto start = Clock::now();
  for (InferJob* job : part) {
    job->times_.queue = start - job->queued_;
    job->network_->probe().RecordQueue(job->times_.queue);
  }
  hosting::RequestTimes times;
  const size_t workspace_bytes = workspace.bytes();
  const auto outputs = Compute(part, plan, workspace, start, times);
  // What touches new memory takes many times as long.
  if (outputs.ok() && workspace.bytes() == workspace_bytes) {
    plan.family().RecordRun(plan.items(), (times.compute_input + times.compute_infer) * threads);
  }
  if (outputs.ok() || part.size() == 1) return Answer(part, plan, outputs, times);
  // What one request has wrong in it is neither the others' fault nor for them to read.
  for (size_t i = 0; i < part.size(); ++i) {
    const Part one = part.subspan(i, 1);
    const auto plan_of_one = one.front()->executable_.plan;
    hosting::RequestTimes times_of_one;
    const auto outputs_of_one = Compute(one, *plan_of_one, workspace, Clock::now(), times_of_one);
    Answer(one, *plan_of_one, outputs_of_one, times_of_one);
  }
}

void InferBatch::Answer(Part part, const plan::Plan& plan,
                        const absl::StatusOr<std::vector<Tensor>>& outputs,
                        const hosting::RequestTimes& times) {
  // The jobs are gone one after the other.
  const std::shared_ptr<hosting::HostedNetwork> network = part.front()->network_;
  const int64_t items = plan.items();
  if (outputs.ok()) {
    network->probe().RecordCompute(times.compute_input + times.compute_infer,
                                   static_cast<size_t>(items));
  }
  ItemRange range{0, 0};
  bool counted = false;  // the execution, with a request that succeeds
  auto since = Clock::now();
  for (InferJob* const each : part) {
    InferJob& job = *each;
    job.times_.compute_input = times.compute_input;
    job.times_.compute_infer = times.compute_infer;
    job.times_.batch_size = static_cast<size_t>(items);
    job.times_.executions = counted ? 0 : 1;
    absl::Status status = outputs.status();
    if (status.ok()) {
      range = {range.first + range.count, job.items()};
      std::vector<Tensor> slices;
      if (part.size() > 1) slices = SliceItems(*outputs, items, range);
      status =
          EncodeAnswer(*network, job.request_, job.checked_, part.size() > 1 ? slices : *outputs,
                       job.wants_timing_ ? &job.times_ : nullptr, job.response_);
    }
    const auto now = Clock::now();
    job.times_.compute_output = now - std::exchange(since, now);
    counted = counted || status.ok();
    job.End(status, now);
  }
}

}  // namespace lazynet::handlers
