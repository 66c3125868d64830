// The shared-memory methods of the Open Inference Protocol.

#include "engine/core/status.h"
#include "service/handlers/inference_service.h"
#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {

grpc::Status InferenceService::SystemSharedMemoryRegister(
    grpc::ServerContext*, const inference::SystemSharedMemoryRegisterRequest* request,
    inference::SystemSharedMemoryRegisterResponse*) {
  return ToGrpc(parts_.shared_memory.Register(*request));
}

grpc::Status InferenceService::SystemSharedMemoryUnregister(
    grpc::ServerContext*, const inference::SystemSharedMemoryUnregisterRequest* request,
    inference::SystemSharedMemoryUnregisterResponse*) {
  return ToGrpc(parts_.shared_memory.Unregister(request->name()));
}

grpc::Status InferenceService::SystemSharedMemoryStatus(
    grpc::ServerContext*, const inference::SystemSharedMemoryStatusRequest* request,
    inference::SystemSharedMemoryStatusResponse* response) {
  return ToGrpc(parts_.shared_memory.Describe(request->name(), *response));
}

grpc::Status InferenceService::CudaSharedMemoryRegister(
    grpc::ServerContext*, const inference::CudaSharedMemoryRegisterRequest*,
    inference::CudaSharedMemoryRegisterResponse*) {
  return ToGrpc(Unimplemented("CUDA shared memory is not served: lazynet computes on CPUs"));
}

// Clients that use shared memory begin and end by unregistering all of both kinds.
grpc::Status InferenceService::CudaSharedMemoryUnregister(
    grpc::ServerContext*, const inference::CudaSharedMemoryUnregisterRequest*,
    inference::CudaSharedMemoryUnregisterResponse*) {
  return grpc::Status::OK;
}

grpc::Status InferenceService::CudaSharedMemoryStatus(
    grpc::ServerContext*, const inference::CudaSharedMemoryStatusRequest* request,
    inference::CudaSharedMemoryStatusResponse*) {
  if (request->name().empty()) return grpc::Status::OK;
  return ToGrpc(NotFound("there is no CUDA shared memory region \"{}\"", request->name()));
}

}  // namespace lazynet::handlers
