#include "service/handlers/infer_job.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {
namespace {

using Steady = std::chrono::steady_clock;

// When to try again what there was no room for: a wait that is worth a round trip, and about the
// time that a plan takes.
constexpr std::chrono::milliseconds kLeastRetry{5};
constexpr std::chrono::milliseconds kBuildRetry{250};

// Elements of the batch axis: what the first input says.
size_t BatchSize(const std::vector<Shape>& shapes) {
  return shapes.empty() || shapes[0].rank() < 2 ? 1 : static_cast<size_t>(shapes[0].dim(0));
}

}  // namespace

void InferJob::Start(grpc::ByteBuffer request, Clock::time_point deadline) {
  arrival_ = Steady::now();
  deadline_ = deadline;
  if (const absl::Status status = Dispatch(request); !status.ok()) End(status);
}

absl::Status InferJob::Dispatch(const grpc::ByteBuffer& bytes) {
  ASSIGN_OR_RETURN(request_, DecodeInferRequest(bytes));
  const auto& message = request_.message;
  ASSIGN_OR_RETURN(network_,
                   service_.repository().Find(message.model_name(), message.model_version()));
  network_->probe().RequestStarted();
  ASSIGN_OR_RETURN(checked_, CheckRequest(network_->network(), request_));
  std::optional<hosting::Executable> found = network_->Find(checked_.shapes);
  // Wrong shapes are refused here and now, not after a wait for the build lane.
  if (!found) RETURN_IF_ERROR(network_->Check(checked_.shapes));
  const auto start = Steady::now();
  ASSIGN_OR_RETURN(inputs_, GatherInputs(network_->network(), request_, checked_));
  times_.compute_input = Steady::now() - start;
  request_.raw_contents.clear();
  if (found) {
    executable_ = *std::move(found);
    EnterLanes();
    return absl::OkStatus();
  }
  const bool accepted = service_.build_lane().Submit(
      network_, checked_.shapes, [this](const absl::StatusOr<hosting::Executable>& outcome) {
        if (!outcome.ok()) {
          End(outcome.status());
          return;
        }
        executable_ = *outcome;
        EnterLanes();
      });
  if (accepted) return absl::OkStatus();
  network_->probe().RecordShed("build_queue_full");
  return WithRetry(ResourceExhausted("too many plans wait to be built"), kBuildRetry);
}

void InferJob::EnterLanes() {
  queued_ = Steady::now();
  if (service_.lanes().Submit(*this)) return;
  network_->probe().RecordShed("queue_full");
  End(WithRetry(
      ResourceExhausted("the queue is full: {} requests wait", service_.lanes().queue_capacity()),
      std::max<std::chrono::nanoseconds>(service_.lanes().PredictedWait(), kLeastRetry)));
}

void InferJob::Run(plan::Workspace& workspace, int threads) {
  const auto start = Steady::now();
  times_.queue = start - queued_;
  network_->probe().RecordQueue(times_.queue);
  const absl::Status status =
      Compute(threads > 1 ? *executable_.wide : *executable_.plan, workspace);
  if (status.ok()) {
    network_->probe().RecordCompute(times_.compute_infer + times_.compute_output,
                                    BatchSize(checked_.shapes));
  }
  End(status);
}

void InferJob::Refuse(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    network_->probe().RecordDeadlineExpired("queue");
  }
  End(status);
}

absl::Status InferJob::Compute(const plan::Plan& plan, plan::Workspace& workspace) {
  const auto start = Steady::now();
  std::vector<TensorView> inputs;
  for (const Tensor& input : inputs_) inputs.push_back(input.view());
  ASSIGN_OR_RETURN(std::vector<Tensor> outputs, plan.AllocateOutputs());
  std::vector<MutableTensorView> views;
  for (Tensor& output : outputs) views.push_back(output.mutable_view());
  RETURN_IF_ERROR(plan.Run(inputs, views, workspace));
  const auto computed = Steady::now();
  times_.compute_infer = computed - start;

  inference::ModelInferResponse message;
  message.set_model_name(network_->network().name());
  message.set_model_version(std::to_string(network_->version()));
  message.set_id(request_.message.id());
  std::vector<Tensor> sent;
  for (const int index : checked_.outputs) {
    const Tensor& output = outputs[static_cast<size_t>(index)];
    auto& described = *message.add_outputs();
    described.set_name(network_->network().outputs()[static_cast<size_t>(index)].name);
    described.set_datatype(std::string(Name(output.dtype())));
    for (const int64_t dim : output.shape().dims()) described.add_shape(dim);
    sent.push_back(output);
  }
  response_ = EncodeInferResponse(message, sent);
  times_.compute_output = Steady::now() - computed;
  return absl::OkStatus();
}

void InferJob::End(const absl::Status& status) {
  times_.total = Steady::now() - arrival_;
  service_.RecordOutcome(network_.get(), status.code(), times_, BatchSize(checked_.shapes));
  Ended(status, std::move(response_));
}

}  // namespace lazynet::handlers
