#pragma once

#include <chrono>
#include <utility>

#include "proto/inference.grpc.pb.h"
#include "service/handlers/admin_only.h"
#include "service/handlers/open_streams.h"
#include "service/handlers/readiness.h"
#include "service/handlers/reading_lane.h"
#include "service/handlers/request_log.h"
#include "service/handlers/request_memory.h"
#include "service/handlers/rpcs.h"
#include "service/handlers/shared_memory.h"
#include "service/hosting/repository.h"
#include "service/metrics/server_probe.h"
#include "service/scheduling/build_lane.h"
#include "service/scheduling/lanes.h"

namespace lazynet::handlers {

// The Open Inference Protocol. ModelInfer and ModelStreamInfer are taken raw from a completion
// queue (see InferCall, InferStream), the other methods run on gRPC's own threads.
class InferenceService : public inference::GRPCInferenceService::WithRawMethod_ModelInfer<
                             inference::GRPCInferenceService::WithRawMethod_ModelStreamInfer<
                                 inference::GRPCInferenceService::Service>> {
 public:
  // What it works with; all of it outlives the service.
  struct Parts {
    hosting::Repository& repository;
    scheduling::Lanes& lanes;
    scheduling::BuildLane& build_lane;
    ReadingLane& reading_lane;
    RequestMemory& request_memory;
    const Readiness& readiness;
    metrics::ServerProbe& probe;
    Rpcs& rpcs;
    SharedMemory& shared_memory;
    RequestLog& request_log;
    AdminOnly admin;
    size_t max_message_bytes;  // of a request, as its client made it
  };

  explicit InferenceService(Parts parts)
      : parts_(std::move(parts)),
        infer_method_(parts_.rpcs.Method("inference.GRPCInferenceService/ModelInfer")),
        stream_method_(parts_.rpcs.Method("inference.GRPCInferenceService/ModelStreamInfer")) {}

  const hosting::Repository& repository() const { return parts_.repository; }
  scheduling::Lanes& lanes() { return parts_.lanes; }
  scheduling::BuildLane& build_lane() { return parts_.build_lane; }
  ReadingLane& reading_lane() { return parts_.reading_lane; }
  RequestMemory& request_memory() { return parts_.request_memory; }
  const SharedMemory& shared_memory() const { return parts_.shared_memory; }
  RequestLog& request_log() { return parts_.request_log; }
  size_t max_message_bytes() const { return parts_.max_message_bytes; }

  // Of the methods that are taken raw.
  const RpcMethod& infer_method() const { return infer_method_; }
  const RpcMethod& stream_method() const { return stream_method_; }

  OpenStreams& streams() { return streams_; }

  // Counts an inference request that ends, of so many items; `network` is null when none was found.
  void RecordOutcome(hosting::HostedNetwork* network, absl::StatusCode code,
                     const hosting::RequestTimes& times, size_t items);

  grpc::Status ServerLive(grpc::ServerContext* context, const inference::ServerLiveRequest* request,
                          inference::ServerLiveResponse* response) override;
  grpc::Status ServerReady(grpc::ServerContext* context,
                           const inference::ServerReadyRequest* request,
                           inference::ServerReadyResponse* response) override;
  grpc::Status ModelReady(grpc::ServerContext* context, const inference::ModelReadyRequest* request,
                          inference::ModelReadyResponse* response) override;
  grpc::Status ServerMetadata(grpc::ServerContext* context,
                              const inference::ServerMetadataRequest* request,
                              inference::ServerMetadataResponse* response) override;
  grpc::Status ModelMetadata(grpc::ServerContext* context,
                             const inference::ModelMetadataRequest* request,
                             inference::ModelMetadataResponse* response) override;
  grpc::Status RepositoryIndex(grpc::ServerContext* context,
                               const inference::RepositoryIndexRequest* request,
                               inference::RepositoryIndexResponse* response) override;
  grpc::Status ModelConfig(grpc::ServerContext* context,
                           const inference::ModelConfigRequest* request,
                           inference::ModelConfigResponse* response) override;
  grpc::Status ModelStatistics(grpc::ServerContext* context,
                               const inference::ModelStatisticsRequest* request,
                               inference::ModelStatisticsResponse* response) override;
  grpc::Status RepositoryModelLoad(grpc::ServerContext* context,
                                   const inference::RepositoryModelLoadRequest* request,
                                   inference::RepositoryModelLoadResponse* response) override;
  grpc::Status RepositoryModelUnload(grpc::ServerContext* context,
                                     const inference::RepositoryModelUnloadRequest* request,
                                     inference::RepositoryModelUnloadResponse* response) override;
  grpc::Status LogSettings(grpc::ServerContext* context,
                           const inference::LogSettingsRequest* request,
                           inference::LogSettingsResponse* response) override;
  grpc::Status TraceSetting(grpc::ServerContext* context,
                            const inference::TraceSettingRequest* request,
                            inference::TraceSettingResponse* response) override;
  grpc::Status SystemSharedMemoryRegister(
      grpc::ServerContext* context, const inference::SystemSharedMemoryRegisterRequest* request,
      inference::SystemSharedMemoryRegisterResponse* response) override;
  grpc::Status SystemSharedMemoryUnregister(
      grpc::ServerContext* context, const inference::SystemSharedMemoryUnregisterRequest* request,
      inference::SystemSharedMemoryUnregisterResponse* response) override;
  grpc::Status SystemSharedMemoryStatus(
      grpc::ServerContext* context, const inference::SystemSharedMemoryStatusRequest* request,
      inference::SystemSharedMemoryStatusResponse* response) override;
  grpc::Status CudaSharedMemoryRegister(
      grpc::ServerContext* context, const inference::CudaSharedMemoryRegisterRequest* request,
      inference::CudaSharedMemoryRegisterResponse* response) override;
  grpc::Status CudaSharedMemoryUnregister(
      grpc::ServerContext* context, const inference::CudaSharedMemoryUnregisterRequest* request,
      inference::CudaSharedMemoryUnregisterResponse* response) override;
  grpc::Status CudaSharedMemoryStatus(grpc::ServerContext* context,
                                      const inference::CudaSharedMemoryStatusRequest* request,
                                      inference::CudaSharedMemoryStatusResponse* response) override;

 private:
  const Parts parts_;
  const RpcMethod infer_method_;
  const RpcMethod stream_method_;
  OpenStreams streams_;
};

}  // namespace lazynet::handlers
