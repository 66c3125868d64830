#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <memory>
#include <vector>

#include "service/handlers/infer_inputs.h"
#include "service/handlers/inference_service.h"
#include "service/hosting/hosted_network.h"
#include "service/scheduling/lanes.h"

namespace lazynet::handlers {

// One inference request, from its bytes to those of its answer, however they travel. Where it is
// started: decode, check, gather. Then, if there is no plan for its shapes, the build lane; then a
// lane.
class InferJob : public scheduling::LaneJob {
 public:
  explicit InferJob(InferenceService& service) : service_(service) {}

  // Once. Ended is called before this returns, or later by another thread.
  void Start(grpc::ByteBuffer request, Clock::time_point deadline);

  Clock::time_point deadline() const override { return deadline_; }
  bool runs_wide() const override { return executable_.wide != nullptr; }
  void Run(plan::Workspace& workspace, int threads) override;
  void Refuse(const absl::Status& status) override;

 protected:
  // The answer's bytes, or why there is none. The job is not touched any more afterwards.
  virtual void Ended(const absl::Status& status, grpc::ByteBuffer response) = 0;

  // As the client named it; empty for a request that cannot be read.
  const std::string& id() const { return request_.message.id(); }

 private:
  absl::Status Dispatch(const grpc::ByteBuffer& bytes);
  void EnterLanes();
  absl::Status Compute(const plan::Plan& plan, plan::Workspace& workspace);
  void End(const absl::Status& status);

  InferenceService& service_;
  Clock::time_point deadline_;
  std::chrono::steady_clock::time_point arrival_;
  std::chrono::steady_clock::time_point queued_;
  hosting::RequestTimes times_;
  std::shared_ptr<hosting::HostedNetwork> network_;
  InferRequest request_;
  CheckedRequest checked_;
  std::vector<Tensor> inputs_;
  hosting::Executable executable_;
  grpc::ByteBuffer response_;
};

}  // namespace lazynet::handlers
