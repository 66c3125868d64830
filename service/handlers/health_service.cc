#include "service/handlers/health_service.h"

#include <optional>

#include "proto/inference.grpc.pb.h"

namespace lazynet::handlers {
namespace {

// A name of the whole server, beside none at all.
constexpr const char* kWhole = inference::GRPCInferenceService::service_full_name();

}  // namespace

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One stream. At most one write is under way; a change in between is seen when it ends. The watch
// deletes itself when its last operation has ended: the write or finish under way, and the notice
// that the call is over.
class HealthService::Watch {
 public:
  Watch(HealthService& service, grpc::ServerCompletionQueue& queue)
      : service_(service), queue_(queue), writer_(&context_) {
    context_.AsyncNotifyWhenDone(&done_);
    service_.RequestWatch(&context_, &request_, &writer_, &queue_, &queue_, &begun_);
  }

  // With the service's mutex held.
  void Advance() {
    if (busy_ || over_) return;
    if (service_.ended_) {
      busy_ = true;
      over_ = true;
      writer_.Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server stops"), &written_);
      return;
    }
    const Status now = service_.StatusOf(request_.service());
    if (sent_ == now) return;
    sent_ = now;
    busy_ = true;
    HealthCheckResponse response;
    response.set_status(now);
    writer_.Write(response, &written_);
  }

 private:
  class Tag : public CompletionTag {
   public:
    Tag(Watch& watch, void (Watch::*handle)(bool)) : watch_(watch), handle_(handle) {}
    void Proceed(bool ok) override { (watch_.*handle_)(ok); }

   private:
    Watch& watch_;
    void (Watch::*handle_)(bool);
  };

  void OnBegun(bool ok) {
    if (!ok) {  // the server shuts down; gRPC sends no notice for a call that never was
      delete this;
      return;
    }
    service_.ListenForWatch(queue_);
    const std::lock_guard lock(service_.mutex_);
    service_.watches_.insert(this);
    Advance();
  }

  void OnWritten(bool ok) {
    {
      const std::lock_guard lock(service_.mutex_);
      busy_ = false;
      if (!ok) over_ = true;
      Advance();
    }
    DeleteIfFinished();
  }

  void OnDone(bool) {
    {
      const std::lock_guard lock(service_.mutex_);
      over_ = true;
      notified_ = true;
    }
    DeleteIfFinished();
  }

  void DeleteIfFinished() {
    {
      const std::lock_guard lock(service_.mutex_);
      if (busy_ || !notified_) return;
      service_.watches_.erase(this);
    }
    delete this;
  }

  HealthService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  HealthCheckRequest request_;
  grpc::ServerAsyncWriter<HealthCheckResponse> writer_;
  std::optional<Status> sent_;
  bool busy_ = false;      // a write or finish is under way
  bool over_ = false;      // nothing more may be written
  bool notified_ = false;  // gRPC said that the call is over
  Tag begun_{*this, &Watch::OnBegun};
  Tag written_{*this, &Watch::OnWritten};
  Tag done_{*this, &Watch::OnDone};
};

HealthService::Status HealthService::StatusOf(const std::string& name) const {
  const bool whole = name.empty() || name == kWhole;
  if (!whole && repository_.versions(name).empty()) {
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  const bool available = whole || repository_.Find(name, "").ok();
  return readiness_.ready() && available ? HealthCheckResponse::SERVING
                                         : HealthCheckResponse::NOT_SERVING;
}

grpc::Status HealthService::Check(grpc::ServerContext*, const HealthCheckRequest* request,
                                  HealthCheckResponse* response) {
  const Status status = StatusOf(request->service());
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    return {grpc::StatusCode::NOT_FOUND, "unknown service \"" + request->service() + "\""};
  }
  response->set_status(status);
  return grpc::Status::OK;
}

grpc::Status HealthService::List(grpc::ServerContext*, const grpc::health::v1::HealthListRequest*,
                                 grpc::health::v1::HealthListResponse* response) {
  constexpr size_t kMostNames = 100;  // the protocol's own suggestion
  const hosting::Repository::Models models = repository_.models();
  if (models.size() > kMostNames) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, "more than 100 names"};
  }
  auto& statuses = *response->mutable_statuses();
  for (const std::string& whole : {std::string(), std::string(kWhole)}) {
    statuses[whole].set_status(StatusOf(whole));
  }
  for (const auto& [name, versions] : models) {
    statuses[name].set_status(StatusOf(name));
  }
  return grpc::Status::OK;
}

void HealthService::ListenForWatch(grpc::ServerCompletionQueue& queue) { new Watch(*this, queue); }

void HealthService::Notify() {
  const std::lock_guard lock(mutex_);
  for (Watch* watch : watches_) watch->Advance();
}

void HealthService::EndWatches() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  for (Watch* watch : watches_) watch->Advance();
}

}  // namespace lazynet::handlers
