#include "service/handlers/describe_plan.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "engine/plan/profile.h"
#include "service/handlers/describe_network.h"

namespace lazynet::handlers {
namespace {

using Source = plan::ValueInfo::Source;

// How soon it is noticed that a caller went away.
constexpr auto kPause = std::chrono::milliseconds(100);

// What waits for the build lane, shared with what is done there: the caller may be gone by then.
struct Waiting {
  std::mutex mutex;  // guards the two below
  std::optional<absl::StatusOr<hosting::PlanView>> view;
  bool abandoned = false;
  std::condition_variable done;
};

absl::Status CheckInputBytes(const nn::Network& network, const std::vector<Shape>& shapes,
                             size_t most) {
  size_t bytes = 0;
  for (size_t i = 0; i < shapes.size(); ++i) {
    bytes += ByteSize(network.inputs()[i].dtype, shapes[i]);
  }
  if (bytes <= most) return absl::OkStatus();
  return ResourceExhausted(
      "inputs of these shapes are {} bytes, wants at most {}, as in a request "
      "(--max-message-bytes)",
      bytes, most);
}

void Fill(const plan::ValueInfo& value, v1::PlanValue& described) {
  described.set_datatype(std::string(Name(value.dtype)));
  for (const int64_t dim : value.shape.dims()) described.add_shape(dim);
  described.set_layout(value.layout);
  described.set_bytes(value.bytes);
  switch (value.source) {
    case Source::kNone:
      return;
    case Source::kInput:
      return described.set_input(static_cast<uint32_t>(value.index));
    case Source::kStep:
      return described.set_step(static_cast<uint32_t>(value.index));
    case Source::kConstant:
      return described.set_constant(value.constant);
  }
}

void Fill(const plan::StepInfo& step, v1::PlanStep& described) {
  described.set_layer(step.layer);
  described.set_op(step.op);
  for (const std::string& op : step.fused) described.add_fused(op);
  described.set_implementation(step.implementation);
  described.set_threads(step.threads);
  for (const plan::ValueInfo& input : step.inputs) Fill(input, *described.add_inputs());
  if (step.output) Fill(*step.output, *described.mutable_output());
  described.set_bytes_read(plan::BytesRead(step));
  described.set_bytes_written(plan::BytesWritten(step));
  described.set_weight_bytes(plan::BytesOfWeights(step));
  described.set_flops(step.flops);
  described.set_estimated_microseconds(step.estimated_microseconds);
}

void Fill(const hosting::PlanView& view, v1::DescribePlanResponse& response) {
  response.set_has_kernels(view.plan != nullptr);
  response.set_parallel_groups(1);
  for (const plan::StepInfo& step : view.description.steps) {
    v1::PlanStep& described = *response.add_steps();
    Fill(step, described);
    described.set_calls(1);
  }
  for (const plan::ValueInfo& value : view.description.outputs) {
    Fill(value, *response.add_output_values());
  }
  if (view.plan == nullptr) return;
  const plan::Plan& plan = *view.plan;
  int step = 0;
  for (const plan::Plan::Part& part : plan.parts()) {
    const auto& [size, count, missing] = part.groups;
    const auto steps = static_cast<int>(part.program->step_count());
    for (int i = 0; i < steps; ++i) response.mutable_steps(step++)->set_calls(count);
    if (plan.groups() == 1 && missing == 0) continue;
    v1::PlanGroups& groups = *response.add_groups();
    groups.set_count(count);
    groups.set_items(size);
    groups.set_missing_items(missing);
  }
  response.set_parallel_groups(plan.parallel_groups());
  response.set_arena_bytes(plan.arena_bytes());
  response.set_scratch_bytes(plan.scratch_bytes());
  response.set_plan_bytes(plan.bytes());
  response.set_packed_weight_bytes(view.bound->shared.packed.bytes());
}

double Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

}  // namespace

absl::StatusOr<hosting::PlanView> PlanDescriber::View(
    std::shared_ptr<hosting::HostedNetwork> hosted, std::vector<Shape> shapes,
    const std::function<bool()>& cancelled) {
  const auto waiting = std::make_shared<Waiting>();
  const bool accepted = build_lane_.Submit(
      [waiting, hosted = std::move(hosted), shapes = std::move(shapes)](const absl::Status& turn) {
        {
          const std::lock_guard lock(waiting->mutex);
          if (waiting->abandoned) return;
        }
        auto view = turn.ok() ? hosted->ViewPlan(shapes) : turn;
        const std::lock_guard lock(waiting->mutex);
        waiting->view = std::move(view);
        waiting->done.notify_one();
      });
  if (!accepted) return ResourceExhausted("too many plans wait to be built");
  std::unique_lock lock(waiting->mutex);
  while (!waiting->view) {
    waiting->done.wait_for(lock, kPause);
    if (waiting->view || !cancelled()) continue;
    waiting->abandoned = true;
    return absl::CancelledError("the caller went away");
  }
  return *std::move(waiting->view);
}

absl::Status PlanDescriber::Measure(const plan::Plan& plan, int runs,
                                    const std::function<bool()>& cancelled,
                                    v1::DescribePlanResponse& response) {
  size_t bytes = 0;
  for (const plan::TensorSpec& output : plan.outputs()) {
    bytes += ByteSize(output.dtype, output.shape);
  }
  if (bytes > limits_.output_bytes) {
    return ResourceExhausted("outputs for these shapes are {} bytes, wants at most {} to run them",
                             bytes, limits_.output_bytes);
  }
  // Two at a time would measure each other.
  if (measuring_.exchange(true)) {
    return ResourceExhausted("another plan is being measured: wants to be asked again later");
  }
  const auto measure = [&]() -> absl::StatusOr<plan::StepTimes> {
    ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, plan::MakeInputs(plan));
    return plan::MeasureSteps(plan, inputs, {.runs = runs, .cancelled = cancelled});
  };
  const absl::StatusOr<plan::StepTimes> times = measure();
  measuring_ = false;
  if (!times.ok()) return Annotate("a run on random floats and zeros", times.status());
  response.set_profile_runs(static_cast<uint32_t>(times->runs));
  response.set_measured_microseconds(Microseconds(times->total));
  for (size_t i = 0; i < times->steps.size(); ++i) {
    v1::PlanStep& step = *response.mutable_steps(static_cast<int>(i));
    step.set_measured_microseconds(Microseconds(times->steps[i]) /
                                   static_cast<double>(step.calls()));
  }
  return absl::OkStatus();
}

absl::Status PlanDescriber::Describe(std::shared_ptr<hosting::HostedNetwork> hosted,
                                     std::vector<Shape> shapes, int profile_runs,
                                     const std::function<bool()>& cancelled,
                                     v1::DescribePlanResponse& response) {
  const nn::Network& network = hosted->network();
  std::vector<std::shared_ptr<const plan::Plan>> cached;
  if (const auto bound = hosted->bound(); bound != nullptr) cached = bound->plans.plans();
  if (shapes.empty()) {
    if (cached.empty()) {
      return FailedPrecondition(
          "there is no plan yet: wants input shapes, or a request first, which makes one");
    }
    shapes = cached.front()->input_shapes();
  }
  RETURN_IF_ERROR(CheckInputBytes(network, shapes, limits_.input_bytes));
  RETURN_IF_ERROR(hosted->CheckShapes(shapes));
  ASSIGN_OR_RETURN(const hosting::PlanView view, View(hosted, shapes, cancelled));
  response.set_name(network.name());
  response.set_version(std::to_string(hosted->version()));
  for (size_t i = 0; i < shapes.size(); ++i) {
    DescribePort(network.inputs()[i].name, network.inputs()[i].dtype, shapes[i],
                 *response.add_inputs());
  }
  for (size_t i = 0; i < view.outputs.size(); ++i) {
    DescribePort(network.outputs()[i].name, network.outputs()[i].dtype, view.outputs[i],
                 *response.add_outputs());
  }
  Fill(view, response);
  for (const auto& plan : cached) {
    if (plan->input_shapes() == shapes) response.set_cached(true);
    DescribePlan(network, *plan, *response.add_cached_plans());
  }
  if (profile_runs == 0) return absl::OkStatus();
  if (view.plan == nullptr) {
    return FailedPrecondition(
        "the network is not bound, so that there is nothing to measure: a first request, "
        "InitializeParameters or a state dict must bind it first");
  }
  return Measure(*view.plan, profile_runs, cancelled, response);
}

}  // namespace lazynet::handlers
