#include "service/handlers/infer_call.h"

#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {

void InferCall::Listen(InferenceService& service, grpc::ServerCompletionQueue& queue) {
  auto* call = new InferCall(service, queue);
  service.RequestModelInfer(&call->context_, &call->request_, &call->writer_, &queue, &queue, call);
}

InferCall::InferCall(InferenceService& service, grpc::ServerCompletionQueue& queue)
    : InferJob(service),
      service_(service),
      queue_(queue),
      writer_(&context_),
      done_(*this),
      record_(service.infer_method()) {
  context_.AsyncNotifyWhenDone(&done_);
}

void InferCall::Proceed(bool ok) {
  if (finished_) {
    DeleteWhenOver();
    return;
  }
  // The server shuts down and there is no call, nor an end of it to be told.
  if (!ok) {
    delete this;
    return;
  }
  open_ = 2;
  record_.Start();
  record_.Receive(request_.Length());
  Listen(service_, queue_);
  Start(request_, context_.deadline());
}

void InferCall::Done::Proceed(bool /*ok*/) {
  if (call_.context_.IsCancelled()) call_.cancelled_.store(true, std::memory_order_relaxed);
  call_.DeleteWhenOver();
}

void InferCall::DeleteWhenOver() {
  if (--open_ == 0) delete this;
}

void InferCall::Ended(const absl::Status& status, const grpc::ByteBuffer& response) {
  finished_ = true;
  if (status.ok()) record_.Send(response.Length());
  record_.End(status.code());
  // After this the poller may delete the call at any moment.
  if (status.ok()) {
    writer_.Finish(response, grpc::Status::OK, this);
  } else {
    writer_.FinishWithError(ToGrpc(status), this);
  }
}

}  // namespace lazynet::handlers
