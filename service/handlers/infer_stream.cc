#include "service/handlers/infer_stream.h"

#include <string>
#include <utility>
#include <vector>

#include "service/handlers/infer_codec.h"
#include "service/handlers/infer_job.h"
#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {
namespace {

// Of the client's metadata.
constexpr const char* kGrpcErrorKey = "triton_grpc_error";

bool AsksForGrpcErrors(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(kGrpcErrorKey);
  return found != metadata.end() && found->second == "true";
}

grpc::Status ServerStops() { return {grpc::StatusCode::UNAVAILABLE, "the server stops"}; }

}  // namespace

class InferStream::Request final : public InferJob {
 public:
  Request(InferenceService& service, InferStream& stream, Turn& turn)
      : InferJob(service), stream_(stream), turn_(turn) {}

  using InferJob::id;
  bool cancelled() const override { return stream_.cancelled_; }

 private:
  void Ended(const absl::Status& status, const grpc::ByteBuffer& response) override {
    stream_.Answer(turn_, status, response);
  }

  std::optional<TraceContext> trace() const override { return TraceContextOf(stream_.context_); }

  InferStream& stream_;
  Turn& turn_;
};

void InferStream::Listen(InferenceService& service, grpc::ServerCompletionQueue& queue) {
  auto* stream = new InferStream(service, queue);
  service.RequestModelStreamInfer(&stream->context_, &stream->stream_, &queue, &queue,
                                  &stream->started_);
}

InferStream::InferStream(InferenceService& service, grpc::ServerCompletionQueue& queue)
    : service_(service),
      queue_(queue),
      stream_(&context_),
      started_(*this, &InferStream::Started),
      read_(*this, &InferStream::Read),
      written_(*this, &InferStream::Written),
      finished_(*this, &InferStream::Finished),
      over_(*this, &InferStream::Over),
      record_(service.stream_method()) {
  context_.AsyncNotifyWhenDone(&over_);
}

void InferStream::Started(bool ok) {
  if (!ok) {
    delete this;
    return;
  }
  Listen(service_, queue_);
  ends_on_error_ = AsksForGrpcErrors(context_);
  {
    const std::lock_guard lock(mutex_);
    record_.Start();
    ReadNext();
  }
  service_.streams().Add(*this);
}

void InferStream::Drain() {
  const std::lock_guard lock(mutex_);
  if (!reads_ended_) status_ = ServerStops();
  reads_ended_ = true;
  FinishWhenDone();
}

void InferStream::ReadNext() {
  if (reading_ || reads_ended_ || turns_.size() >= kMostAtATime) return;
  reading_ = true;
  stream_.Read(&next_, &read_);
}

void InferStream::Read(bool ok) {
  Request* request = nullptr;
  grpc::ByteBuffer bytes;
  {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    if (ok && !reads_ended_) {
      Turn& turn = turns_.emplace_back();
      turn.request = std::make_unique<Request>(service_, *this, turn);
      request = turn.request.get();
      bytes.Swap(&next_);
      record_.Receive(bytes.Length());
      ++unanswered_;
    } else {
      reads_ended_ = true;
      FinishWhenDone();
    }
  }
  if (request == nullptr) {
    DeleteWhenFinished();
    return;
  }
  request->Start(bytes, context_.deadline());
  const std::lock_guard lock(mutex_);
  ReadNext();
}

void InferStream::Answer(Turn& turn, const absl::Status& status, const grpc::ByteBuffer& response) {
  const std::lock_guard lock(mutex_);
  --unanswered_;
  turn.answered = true;
  if (status.ok()) {
    turn.response = EncodeStreamResponse(response);
  } else if (ends_on_error_) {
    turn.status = status;
    reads_ended_ = true;
  } else {
    turn.response = EncodeStreamError(turn.request->id(), ToGrpc(status).error_message());
  }
  WriteNext();
  FinishWhenDone();
}

void InferStream::WriteNext() {
  if (writing_ || broken_ || turns_.empty() || !turns_.front().answered) return;
  if (!turns_.front().status.ok()) {
    status_ = ToGrpc(turns_.front().status);
    broken_ = true;
    return;
  }
  writing_ = true;
  record_.Send(turns_.front().response.Length());
  stream_.Write(turns_.front().response, &written_);
}

void InferStream::Written(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  turns_.pop_front();
  broken_ = broken_ || !ok;
  reads_ended_ = reads_ended_ || broken_;  // nobody would have the answers
  WriteNext();
  ReadNext();
  FinishWhenDone();
}

void InferStream::FinishWhenDone() {
  if (finishing_ || !reads_ended_ || unanswered_ > 0 || writing_) return;
  if (!turns_.empty() && !broken_) return;
  finishing_ = true;
  record_.End(cancelled_ ? absl::StatusCode::kCancelled
                         : static_cast<absl::StatusCode>(status_.error_code()));
  stream_.Finish(status_, &finished_);
}

void InferStream::Finished(bool /*ok*/) {
  {
    const std::lock_guard lock(mutex_);
    finished_with_ = true;
  }
  DeleteWhenFinished();
}

void InferStream::Over(bool /*ok*/) {
  cancelled_ = context_.IsCancelled();
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  DeleteWhenFinished();
}

// Whoever answered last has left the mutex when it can be had here.
void InferStream::DeleteWhenFinished() {
  {
    const std::lock_guard lock(mutex_);
    if (!finished_with_ || !is_over_ || reading_) return;
  }
  service_.streams().Remove(*this);
  delete this;
}

void OpenStreams::Add(InferStream& stream) {
  const std::lock_guard lock(mutex_);
  open_.insert(&stream);
  if (draining_) stream.Drain();
}

void OpenStreams::Remove(InferStream& stream) {
  const std::lock_guard lock(mutex_);
  open_.erase(&stream);
}

void OpenStreams::Drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
  for (InferStream* stream : open_) stream->Drain();
}

}  // namespace lazynet::handlers
