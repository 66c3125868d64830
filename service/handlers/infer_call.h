#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "service/handlers/completion_tag.h"
#include "service/handlers/infer_inputs.h"
#include "service/handlers/inference_service.h"
#include "service/hosting/hosted_network.h"
#include "service/scheduling/lanes.h"

namespace lazynet::handlers {

// One ModelInfer, from its arrival to its answer. On the poller: decode, check, gather. Then, if
// there is no plan for its shapes, the build lane; then a lane. Deletes itself when gRPC is done
// with it.
class InferCall : public CompletionTag, public scheduling::LaneJob {
 public:
  // Asks gRPC for the next ModelInfer.
  static void Listen(InferenceService& service, grpc::ServerCompletionQueue& queue);

  void Proceed(bool ok) override;

  Clock::time_point deadline() const override { return deadline_; }
  bool runs_wide() const override { return executable_.wide != nullptr; }
  void Run(plan::Workspace& workspace, int threads) override;
  void Refuse(const absl::Status& status) override;

 private:
  InferCall(InferenceService& service, grpc::ServerCompletionQueue& queue);

  void Start();
  absl::Status Dispatch();
  void EnterLanes();
  absl::Status Compute(const plan::Plan& plan, plan::Workspace& workspace);
  void Finish(const absl::Status& status);

  InferenceService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
  // Finish was called; the next Proceed is the last. Atomic, so that what a lane did comes before
  // the poller deletes it also for tools that do not see into gRPC's queue.
  std::atomic<bool> finished_ = false;

  std::chrono::steady_clock::time_point arrival_;
  std::chrono::steady_clock::time_point queued_;
  Clock::time_point deadline_;
  std::shared_ptr<hosting::HostedNetwork> network_;
  InferRequest request_;
  CheckedRequest checked_;
  std::vector<Tensor> inputs_;
  hosting::Executable executable_;
  grpc::ByteBuffer response_bytes_;
};

}  // namespace lazynet::handlers
