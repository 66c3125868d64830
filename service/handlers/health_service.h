#pragma once

#include <grpcpp/grpcpp.h>

#include <mutex>
#include <string>
#include <unordered_set>

#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "service/handlers/completion_tag.h"
#include "service/handlers/readiness.h"
#include "service/hosting/repository.h"

namespace lazynet::handlers {

// grpc.health.v1. "" and "inference.GRPCInferenceService" stand for the server, a model's name for
// that model. Check and List are plain methods; Watch runs on the completion queue, because a plain
// streaming method would hold a thread for every watcher, and gRPC's own health service would bring
// callback threads that halve ModelInfer's rate.
class HealthService
    : public grpc::health::v1::Health::WithAsyncMethod_Watch<grpc::health::v1::Health::Service> {
 public:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  HealthService(const hosting::Repository& repository, const Readiness& readiness)
      : repository_(repository), readiness_(readiness) {}

  // SERVICE_UNKNOWN for a name that is no model.
  Status StatusOf(const std::string& name) const;

  grpc::Status Check(grpc::ServerContext* context,
                     const grpc::health::v1::HealthCheckRequest* request,
                     grpc::health::v1::HealthCheckResponse* response) override;
  grpc::Status List(grpc::ServerContext* context,
                    const grpc::health::v1::HealthListRequest* request,
                    grpc::health::v1::HealthListResponse* response) override;

  // Asks gRPC for the next Watch.
  void ListenForWatch(grpc::ServerCompletionQueue& queue);

  // Tells every watcher its present status, where it changed.
  void Notify();

  // Ends every watch, so that the server can shut down.
  void EndWatches();

 private:
  class Watch;

  const hosting::Repository& repository_;
  const Readiness& readiness_;
  std::mutex mutex_;  // guards the two below and the state of every watch
  std::unordered_set<Watch*> watches_;
  bool ended_ = false;
};

}  // namespace lazynet::handlers
