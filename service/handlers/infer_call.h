#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "service/handlers/completion_tag.h"
#include "service/handlers/infer_job.h"
#include "service/handlers/inference_service.h"
#include "service/handlers/rpc_record.h"

namespace lazynet::handlers {

// One ModelInfer. Not computed when it is cancelled before its turn. Deletes itself when gRPC is
// done with it.
class InferCall final : public CompletionTag, public InferJob {
 public:
  // Asks gRPC for the next ModelInfer.
  static void Listen(InferenceService& service, grpc::ServerCompletionQueue& queue);

  void Proceed(bool ok) override;
  bool cancelled() const override { return cancelled_.load(std::memory_order_relaxed); }

 private:
  // gRPC's word that the call is over, for it was answered or cancelled.
  class Done final : public CompletionTag {
   public:
    explicit Done(InferCall& call) : call_(call) {}
    void Proceed(bool ok) override;

   private:
    InferCall& call_;
  };

  InferCall(InferenceService& service, grpc::ServerCompletionQueue& queue);

  void Ended(const absl::Status& status, const grpc::ByteBuffer& response) override;
  std::optional<TraceContext> trace() const override { return TraceContextOf(context_); }
  void DeleteWhenOver();

  InferenceService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
  Done done_;
  RpcRecord record_;
  // Finish was called; the next Proceed is the last. Atomic, so that what a lane did comes before
  // the poller deletes it also for tools that do not see into gRPC's queue.
  std::atomic<bool> finished_ = false;
  std::atomic<bool> cancelled_ = false;
  int open_ = 0;  // operations that gRPC will still answer; the poller's
};

}  // namespace lazynet::handlers
