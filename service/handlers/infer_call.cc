#include "service/handlers/infer_call.h"

#include <optional>
#include <string>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {
namespace {

using Steady = std::chrono::steady_clock;

// Elements of the batch axis, for the metric: what the first input says.
size_t BatchSize(const std::vector<Shape>& shapes) {
  return shapes.empty() || shapes[0].rank() < 2 ? 1 : static_cast<size_t>(shapes[0].dim(0));
}

}  // namespace

void InferCall::Listen(InferenceService& service, grpc::ServerCompletionQueue& queue) {
  auto* call = new InferCall(service, queue);
  service.RequestModelInfer(&call->context_, &call->request_bytes_, &call->writer_, &queue, &queue,
                            call);
}

InferCall::InferCall(InferenceService& service, grpc::ServerCompletionQueue& queue)
    : service_(service), queue_(queue), writer_(&context_) {}

void InferCall::Proceed(bool ok) {
  // Not ok before Finish: the server shuts down and there is no request.
  if (finished_ || !ok) {
    delete this;
    return;
  }
  Listen(service_, queue_);
  Start();
}

void InferCall::Start() {
  arrival_ = Steady::now();
  deadline_ = context_.deadline();
  if (const absl::Status status = Dispatch(); !status.ok()) Finish(status);
}

absl::Status InferCall::Dispatch() {
  ASSIGN_OR_RETURN(request_, DecodeInferRequest(request_bytes_));
  const auto& message = request_.message;
  ASSIGN_OR_RETURN(network_,
                   service_.repository().Find(message.model_name(), message.model_version()));
  network_->probe().RequestStarted();
  ASSIGN_OR_RETURN(checked_, CheckRequest(network_->network(), request_));
  std::optional<hosting::Executable> found = network_->Find(checked_.shapes);
  // Wrong shapes are refused here and now, not after a wait for the build lane.
  if (!found) RETURN_IF_ERROR(network_->Check(checked_.shapes));
  ASSIGN_OR_RETURN(inputs_, GatherInputs(network_->network(), request_, checked_));
  request_.raw_contents.clear();
  request_bytes_.Clear();
  if (found) {
    executable_ = *std::move(found);
    EnterLanes();
    return absl::OkStatus();
  }
  const bool accepted = service_.build_lane().Submit(
      network_, checked_.shapes, [this](const absl::StatusOr<hosting::Executable>& outcome) {
        if (!outcome.ok()) {
          Finish(outcome.status());
          return;
        }
        executable_ = *outcome;
        EnterLanes();
      });
  if (accepted) return absl::OkStatus();
  network_->probe().RecordShed("build_queue_full");
  return ResourceExhausted("too many plans wait to be built");
}

void InferCall::EnterLanes() {
  queued_ = Steady::now();
  if (service_.lanes().Submit(*this)) return;
  network_->probe().RecordShed("queue_full");
  Finish(
      ResourceExhausted("the queue is full: {} requests wait", service_.lanes().queue_capacity()));
}

void InferCall::Run(plan::Workspace& workspace, int threads) {
  const auto start = Steady::now();
  network_->probe().RecordQueue(start - queued_);
  const absl::Status status =
      Compute(threads > 1 ? *executable_.wide : *executable_.plan, workspace);
  if (status.ok())
    network_->probe().RecordCompute(Steady::now() - start, BatchSize(checked_.shapes));
  Finish(status);
}

void InferCall::Refuse(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    network_->probe().RecordDeadlineExpired("queue");
  }
  Finish(status);
}

absl::Status InferCall::Compute(const plan::Plan& plan, plan::Workspace& workspace) {
  std::vector<TensorView> inputs;
  for (const Tensor& input : inputs_) inputs.push_back(input.view());
  std::vector<Tensor> outputs;
  std::vector<MutableTensorView> views;
  for (const plan::TensorSpec& spec : plan.outputs()) {
    ASSIGN_OR_RETURN(Tensor output, Tensor::Allocate(spec.dtype, spec.shape));
    views.push_back(output.mutable_view());
    outputs.push_back(std::move(output));
  }
  RETURN_IF_ERROR(plan.Run(inputs, views, workspace));

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
  response_bytes_ = EncodeInferResponse(message, sent);
  return absl::OkStatus();
}

void InferCall::Finish(const absl::Status& status) {
  service_.RecordOutcome(network_.get(), status.code(), Steady::now() - arrival_);
  finished_ = true;
  // After this the poller may delete the call at any moment.
  if (status.ok()) {
    writer_.Finish(response_bytes_, grpc::Status::OK, this);
  } else {
    writer_.FinishWithError(ToGrpc(status), this);
  }
}

}  // namespace lazynet::handlers
