#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "service/handlers/completion_tag.h"
#include "service/handlers/infer_job.h"
#include "service/handlers/inference_service.h"

namespace lazynet::handlers {

// One ModelInfer. Deletes itself when gRPC is done with it.
class InferCall final : public CompletionTag, public InferJob {
 public:
  // Asks gRPC for the next ModelInfer.
  static void Listen(InferenceService& service, grpc::ServerCompletionQueue& queue);

  void Proceed(bool ok) override;

 private:
  InferCall(InferenceService& service, grpc::ServerCompletionQueue& queue);

  void Ended(const absl::Status& status, grpc::ByteBuffer response) override;

  InferenceService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
  // Finish was called; the next Proceed is the last. Atomic, so that what a lane did comes before
  // the poller deletes it also for tools that do not see into gRPC's queue.
  std::atomic<bool> finished_ = false;
};

}  // namespace lazynet::handlers
