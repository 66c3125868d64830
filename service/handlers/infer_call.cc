#include "service/handlers/infer_call.h"

#include <utility>

#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {

void InferCall::Listen(InferenceService& service, grpc::ServerCompletionQueue& queue) {
  auto* call = new InferCall(service, queue);
  service.RequestModelInfer(&call->context_, &call->request_, &call->writer_, &queue, &queue, call);
}

InferCall::InferCall(InferenceService& service, grpc::ServerCompletionQueue& queue)
    : InferJob(service), service_(service), queue_(queue), writer_(&context_) {}

void InferCall::Proceed(bool ok) {
  // Not ok before Finish: the server shuts down and there is no request.
  if (finished_ || !ok) {
    delete this;
    return;
  }
  Listen(service_, queue_);
  Start(std::move(request_), context_.deadline());
}

void InferCall::Ended(const absl::Status& status, grpc::ByteBuffer response) {
  finished_ = true;
  // After this the poller may delete the call at any moment.
  if (status.ok()) {
    writer_.Finish(response, grpc::Status::OK, this);
  } else {
    writer_.FinishWithError(ToGrpc(status), this);
  }
}

}  // namespace lazynet::handlers
