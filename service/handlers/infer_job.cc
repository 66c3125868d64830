#include "service/handlers/infer_job.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/decompress.h"
#include "service/handlers/infer_batch.h"
#include "service/handlers/infer_codec.h"
#include "service/handlers/infer_parameters.h"
#include "service/handlers/poller_lane.h"
#include "service/handlers/reserved_parameters.h"
#include "service/handlers/status_mapping.h"
#include "service/handlers/timing_parameters.h"

namespace lazynet::handlers {
namespace {

// When to try again what there was no room for: a wait that is worth a round trip, and about the
// time that a plan takes.
constexpr std::chrono::milliseconds kLeastRetry{5};
constexpr std::chrono::milliseconds kBuildRetry{250};

// Bytes that the poller reads itself: a millisecond when all of them are typed contents, next to
// nothing when they are raw.
constexpr size_t kReadAtOnce = size_t{1} << 20;

// On the clock of the lanes, which nobody sets.
scheduling::LaneJob::Time Steady(std::chrono::system_clock::time_point deadline) {
  using std::chrono::system_clock;
  if (deadline == system_clock::time_point::max()) return scheduling::LaneJob::Time::max();
  // Others may lie beyond what can be subtracted.
  constexpr auto kFar = std::chrono::hours(24 * 365);
  const auto now = system_clock::now();
  if (deadline > now + kFar) return scheduling::LaneJob::Time::max();
  return scheduling::LaneJob::Clock::now() + (deadline - now);
}

}  // namespace

void InferJob::Start(grpc::ByteBuffer& request, std::chrono::system_clock::time_point deadline) {
  arrival_ = Clock::now();
  deadline_ = Steady(deadline);
  if (!IsCompressed(request) && request.Length() <= kReadAtOnce) {
    // Not the caller's, which may be gone with the job.
    grpc::ByteBuffer bytes;
    bytes.Swap(&request);
    return Read(bytes);
  }
  // std::function wants to be able to copy it.
  const auto bytes = std::make_shared<grpc::ByteBuffer>();
  bytes->Swap(&request);
  if (service_.reading_lane().Submit([this, bytes] { ReadInTurn(*bytes); })) return;
  End(WithRetry(ResourceExhausted("too many large requests wait to be read"), kBuildRetry));
}

void InferJob::ReadInTurn(grpc::ByteBuffer& bytes) {
  if (cancelled()) return End(absl::CancelledError("the client cancelled the call"));
  if (deadline_ <= Clock::now()) {
    return End(absl::DeadlineExceededError("the deadline passed before the request was read"));
  }
  Read(bytes);
}

void InferJob::Read(grpc::ByteBuffer& bytes) {
  const absl::Status status = Dispatch(bytes);
  if (status.ok()) return;
  // Others may have it while the answer is on its way.
  bytes.Clear();
  memory_.GiveBack();
  End(status);
}

absl::Status InferJob::Dispatch(grpc::ByteBuffer& bytes) {
  RETURN_IF_ERROR(Decompress(bytes, service_.max_message_bytes(), memory_));
  RETURN_IF_ERROR(DecodeInferRequest(bytes, request_));
  if (const size_t parsed = request_.arena.SpaceUsed(); parsed > request_.block.size()) {
    RETURN_IF_ERROR(memory_.Take(parsed));
  }
  const auto& message = request_.message;
  ASSIGN_OR_RETURN(network_,
                   service_.repository().Find(message.model_name(), message.model_version()));
  network_->probe().RequestStarted();
  ASSIGN_OR_RETURN(const InferParameters parameters, ReadParameters(message));
  priority_ = network_->queue().PriorityOf(parameters.priority);
  if (parameters.timeout.count() > 0) {
    deadline_ = std::min(deadline_, arrival_ + parameters.timeout);
  }
  ASSIGN_OR_RETURN(wants_timing_, WantsTiming(message));
  RETURN_IF_ERROR(CheckReservedParameters(message));
  RETURN_IF_ERROR(FindSharedMemory(service_.shared_memory(), request_));
  ASSIGN_OR_RETURN(checked_, CheckRequest(network_->network(), request_));
  std::optional<hosting::Executable> found = network_->Find(checked_.shapes);
  // Wrong shapes are refused here and now, not after a wait for the build lane.
  if (!found) RETURN_IF_ERROR(network_->Check(checked_.shapes));
  if (found) {
    executable_ = *std::move(found);
    // Only now that the shape is seen to come again.
    if (network_->GainsFromWidening(executable_) && executable_.plan->ClaimWidening()) {
      service_.build_lane().AddPlan(network_, executable_, checked_.shapes, true);
    }
    EnterLanes();
    return absl::OkStatus();
  }
  building_ = Clock::now();
  if (service_.build_lane().Submit(network_, checked_.shapes, *this)) return absl::OkStatus();
  network_->probe().RecordShed("build_queue_full");
  return WithRetry(ResourceExhausted("too many plans wait to be built"), kBuildRetry);
}

void InferJob::Built(const absl::StatusOr<hosting::Executable>& outcome) {
  times_.build = Clock::now() - building_;
  if (absl::IsDeadlineExceeded(outcome.status())) network_->probe().RecordDeadlineExpired("build");
  if (!outcome.ok()) return End(outcome.status());
  executable_ = *outcome;
  EnterLanes();
}

void InferJob::EnterLanes() {
  queued_ = Clock::now();
  PollerLane* const poller = PollerLane::OfThisThread();
  if (poller == nullptr || !poller->Take(*this)) SubmitToLanes();
}

bool InferJob::IsPlain() const {
  const auto has_classes = [](const OutputDelivery& delivery) { return delivery.classes > 0; };
  return request_.shared_inputs.empty() && request_.shared_outputs.empty() &&
         std::none_of(checked_.deliveries.begin(), checked_.deliveries.end(), has_classes);
}

void InferJob::SubmitToLanes() {
  if (deadline_ <= Clock::now()) {
    return Refuse(absl::DeadlineExceededError("the deadline passed before the queue"));
  }
  const std::optional<scheduling::Refusal> refusal = service_.lanes().Submit(*this);
  if (!refusal) return;
  network_->probe().RecordShed(refusal->reason);
  if (!absl::IsResourceExhausted(refusal->status)) return End(refusal->status);
  End(WithRetry(refusal->status,
                std::max<std::chrono::nanoseconds>(refusal->retry_after, kLeastRetry)));
}

void InferJob::Run(std::span<scheduling::LaneJob* const> batch, plan::Workspace& workspace,
                   int threads) {
  InferBatch(batch).Run(workspace, threads);
}

void InferJob::Refuse(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    network_->probe().RecordDeadlineExpired("queue");
  }
  End(status);
}

// Once they are gathered, so that they do not wait for the answer to be made.
void InferJob::ForgetInputs() {
  request_.raw_contents.clear();
  request_.shared_inputs.clear();
}

void InferJob::End(const absl::Status& status, Time now) {
  times_.total = now - arrival_;
  service_.RecordOutcome(network_.get(), status.code(), times_, ItemsAsked());
  Log(status);
  Ended(status, response_);
}

// As they are counted in batches; without a plan as the first input says.
size_t InferJob::ItemsAsked() const {
  if (executable_.plan != nullptr) return static_cast<size_t>(items());
  const std::vector<Shape>& shapes = checked_.shapes;
  return shapes.empty() || shapes[0].rank() == 0 ? 1 : static_cast<size_t>(shapes[0].dim(0));
}

void InferJob::Log(const absl::Status& status) const {
  RequestLog& log = service_.request_log();
  const auto line = log.LineFor(status, times_.total);
  if (!line) return;
  const auto& message = request_.message;
  log.Write(*line,
            {.id = message.id(),
             .model = message.model_name(),
             .version = network_ != nullptr ? std::to_string(network_->version())
                                            : message.model_version(),
             .status = status,
             .times = times_,
             .items = ItemsAsked()},
            trace());
}

}  // namespace lazynet::handlers
