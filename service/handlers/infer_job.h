#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "service/handlers/infer_inputs.h"
#include "service/handlers/inference_service.h"
#include "service/handlers/trace_context.h"
#include "service/hosting/hosted_network.h"
#include "service/scheduling/build_waiter.h"
#include "service/scheduling/lane_job.h"

namespace lazynet::handlers {

// One inference request, from its bytes to those of its answer, however they travel. Where it is
// started, or on the reading lane if it takes long: decode, check. Then, if there is no plan for
// its shapes, the build lane; then a lane, where its inputs are gathered, maybe with those of
// others, and the answer is made.
class InferJob : public scheduling::LaneJob, public scheduling::BuildWaiter {
 public:
  explicit InferJob(InferenceService& service)
      : service_(service), memory_(service.request_memory()) {}

  // Once. Takes the request, which is empty afterwards: copies of a ByteBuffer cost. Ended is
  // called before this returns, or later by another thread.
  void Start(grpc::ByteBuffer& request, std::chrono::system_clock::time_point deadline);

  const hosting::QueueOptions& queue() const override { return network_->queue(); }
  int64_t priority() const override { return priority_; }
  Time deadline() const override { return deadline_; }
  bool cancelled() const override = 0;
  bool runs_wide() const override { return executable_.wide != nullptr; }
  plan::BatchFamily& family() const override { return executable_.plan->family(); }
  int64_t items() const override { return executable_.plan->items(); }
  void Run(std::span<scheduling::LaneJob* const> batch, plan::Workspace& workspace,
           int threads) override;
  void Refuse(const absl::Status& status) override;
  void Built(const absl::StatusOr<hosting::Executable>& outcome) override;

  // Whether all its tensors come and go in messages as they are: no classes, no shared memory.
  bool IsPlain() const;

  // Ends the job when the lanes do not take it.
  void SubmitToLanes();

 protected:
  // The answer's bytes, or why there is none. The job is not touched any more afterwards.
  virtual void Ended(const absl::Status& status, const grpc::ByteBuffer& response) = 0;

  virtual std::optional<TraceContext> trace() const = 0;

  // As the client named it; empty for a request that cannot be read.
  const std::string& id() const { return request_.message.id(); }

 private:
  friend class InferBatch;

  void Read(grpc::ByteBuffer& bytes);
  void ReadInTurn(grpc::ByteBuffer& bytes);
  absl::Status Dispatch(grpc::ByteBuffer& bytes);
  void EnterLanes();
  void ForgetInputs();
  void End(const absl::Status& status) { End(status, Clock::now()); }
  void End(const absl::Status& status, Time now);
  size_t ItemsAsked() const;
  void Log(const absl::Status& status) const;

  InferenceService& service_;
  RequestMemory::Share memory_;
  Time arrival_;
  Time building_;  // since
  Time queued_;
  Time deadline_ = Time::max();
  int64_t priority_ = 1;
  hosting::RequestTimes times_;
  bool wants_timing_ = false;
  std::shared_ptr<hosting::HostedNetwork> network_;
  InferRequest request_;
  CheckedRequest checked_;
  hosting::Executable executable_;
  grpc::ByteBuffer response_;
};

}  // namespace lazynet::handlers
