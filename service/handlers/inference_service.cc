#include "service/handlers/inference_service.h"

#include <string>

#include "engine/core/status.h"
#include "service/handlers/describe_model.h"
#include "service/handlers/log_settings.h"
#include "service/handlers/status_mapping.h"
#include "service/handlers/trace_settings.h"
#include "service/hosting/signature.h"
#include "service/version.h"

namespace lazynet::handlers {
namespace {

// What is served beyond the base protocol: clients branch on this list.
constexpr const char* kExtensions[] = {"binary_tensor_data",  "classification",   "logging",
                                       "model_configuration", "model_repository", "parameters",
                                       "schedule_policy",     "statistics"};

// There is one repository, without a name.
absl::Status CheckRepository(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return absl::UnimplementedError("repository_name is not served");
}

// Only what is in the repository's folder: a client's own definition is RegisterNetwork's.
absl::Status CheckLoad(const inference::RepositoryModelLoadRequest& request) {
  RETURN_IF_ERROR(CheckRepository(request.repository_name()));
  if (request.parameters().empty()) return absl::OkStatus();
  return absl::UnimplementedError(
      fmt::format("parameter \"{}\" is not served", request.parameters().begin()->first));
}

}  // namespace

void InferenceService::RecordOutcome(hosting::HostedNetwork* network, absl::StatusCode code,
                                     const hosting::RequestTimes& times, size_t items) {
  if (network == nullptr) {
    parts_.probe.RecordUnassigned(code);
    return;
  }
  network->probe().RequestFinished();
  network->probe().RecordRequest(code, times.total);
  if (code == absl::StatusCode::kOk) {
    network->statistics().RecordSuccess(times, items);
  } else {
    network->statistics().RecordFailure(times.total);
  }
}

grpc::Status InferenceService::ServerLive(grpc::ServerContext*, const inference::ServerLiveRequest*,
                                          inference::ServerLiveResponse* response) {
  response->set_live(true);
  return grpc::Status::OK;
}

grpc::Status InferenceService::ServerReady(grpc::ServerContext*,
                                           const inference::ServerReadyRequest*,
                                           inference::ServerReadyResponse* response) {
  response->set_ready(parts_.readiness.ready());
  return grpc::Status::OK;
}

// A lazy network is ready: it can take a request.
grpc::Status InferenceService::ModelReady(grpc::ServerContext*,
                                          const inference::ModelReadyRequest* request,
                                          inference::ModelReadyResponse* response) {
  const auto found = parts_.repository.Find(request->name(), request->version());
  if (found.status().code() == absl::StatusCode::kInvalidArgument) return ToGrpc(found.status());
  response->set_ready(parts_.readiness.ready() && found.ok());
  return grpc::Status::OK;
}

grpc::Status InferenceService::ServerMetadata(grpc::ServerContext*,
                                              const inference::ServerMetadataRequest*,
                                              inference::ServerMetadataResponse* response) {
  response->set_name("lazynet");
  response->set_version(kVersion);
  for (const char* extension : kExtensions) response->add_extensions(extension);
  if (parts_.shared_memory.served()) response->add_extensions("system_shared_memory");
  return grpc::Status::OK;
}

grpc::Status InferenceService::ModelMetadata(grpc::ServerContext*,
                                             const inference::ModelMetadataRequest* request,
                                             inference::ModelMetadataResponse* response) {
  const auto found = parts_.repository.Find(request->name(), request->version());
  if (!found.ok()) return ToGrpc(found.status());
  const hosting::HostedNetwork& hosted = **found;
  const nn::Network& network = hosted.network();
  response->set_name(network.name());
  response->set_platform("lazynet_network");
  for (const auto& [version, entry] : parts_.repository.versions(network.name())) {
    if (entry.network != nullptr) response->add_versions(std::to_string(version));
  }
  const hosting::Signature signature = hosting::Describe(hosted);
  const auto describe = [&](const auto& value, const Shape& shape, auto& tensor) {
    tensor.set_name(value.name);
    tensor.set_datatype(std::string(Name(value.dtype)));
    for (const int64_t dim : shape.dims()) tensor.add_shape(dim);
  };
  for (size_t i = 0; i < network.inputs().size(); ++i) {
    describe(network.inputs()[i], signature.inputs[i], *response->add_inputs());
  }
  for (size_t i = 0; i < network.outputs().size(); ++i) {
    describe(network.outputs()[i], signature.outputs[i], *response->add_outputs());
  }
  (*response->mutable_properties())["materialized"] =
      hosted.Look().binding() != nullptr ? "true" : "false";
  (*response->mutable_properties())["compute"] = std::string(Name(network.compute_dtype()));
  return grpc::Status::OK;
}

grpc::Status InferenceService::RepositoryIndex(grpc::ServerContext*,
                                               const inference::RepositoryIndexRequest* request,
                                               inference::RepositoryIndexResponse* response) {
  if (absl::Status status = CheckRepository(request->repository_name()); !status.ok()) {
    return ToGrpc(status);
  }
  for (const auto& [name, versions] : parts_.repository.models()) {
    for (const auto& [version, entry] : versions) {
      if (request->ready() && entry.network == nullptr) continue;
      auto& model = *response->add_models();
      model.set_name(name);
      model.set_version(std::to_string(version));
      model.set_state(entry.network != nullptr ? "READY" : "UNAVAILABLE");
      model.set_reason(std::string(Message(entry.unavailable)));
    }
  }
  return grpc::Status::OK;
}

grpc::Status InferenceService::ModelConfig(grpc::ServerContext*,
                                           const inference::ModelConfigRequest* request,
                                           inference::ModelConfigResponse* response) {
  const auto found = parts_.repository.Find(request->name(), request->version());
  if (!found.ok()) return ToGrpc(found.status());
  *response->mutable_config() = MakeModelConfig(**found, parts_.lanes.count());
  return grpc::Status::OK;
}

grpc::Status InferenceService::RepositoryModelLoad(
    grpc::ServerContext* context, const inference::RepositoryModelLoadRequest* request,
    inference::RepositoryModelLoadResponse*) {
  const auto load = [&]() -> absl::Status {
    RETURN_IF_ERROR(parts_.admin.Check(*context, "RepositoryModelLoad"));
    RETURN_IF_ERROR(CheckLoad(*request));
    absl::Status loaded = parts_.repository.LoadAgain(request->model_name());
    if (!loaded.ok()) LogRefusedLoad(request->model_name(), loaded);
    return loaded;
  };
  return ToGrpc(load());
}

// unload_dependents is of ensembles, which there are none of.
grpc::Status InferenceService::RepositoryModelUnload(
    grpc::ServerContext* context, const inference::RepositoryModelUnloadRequest* request,
    inference::RepositoryModelUnloadResponse*) {
  const auto unload = [&]() -> absl::Status {
    RETURN_IF_ERROR(parts_.admin.Check(*context, "RepositoryModelUnload"));
    RETURN_IF_ERROR(CheckRepository(request->repository_name()));
    return parts_.repository.Unload(request->model_name());
  };
  return ToGrpc(unload());
}

grpc::Status InferenceService::LogSettings(grpc::ServerContext* context,
                                           const inference::LogSettingsRequest* request,
                                           inference::LogSettingsResponse* response) {
  if (!request->settings().empty()) {
    if (absl::Status status = parts_.admin.Check(*context, "LogSettings with settings");
        !status.ok()) {
      return ToGrpc(status);
    }
  }
  if (absl::Status status = ChangeLogSettings(*request); !status.ok()) return ToGrpc(status);
  DescribeLogSettings(*response);
  return grpc::Status::OK;
}

grpc::Status InferenceService::TraceSetting(grpc::ServerContext*,
                                            const inference::TraceSettingRequest* request,
                                            inference::TraceSettingResponse* response) {
  const auto answer = [&]() -> absl::Status {
    if (!request->model_name().empty()) {
      RETURN_IF_ERROR(parts_.repository.Find(request->model_name(), "").status());
    }
    RETURN_IF_ERROR(CheckTraceSettings(*request));
    DescribeTraceSettings(*response);
    return absl::OkStatus();
  };
  return ToGrpc(answer());
}

// Without a name of all models, without a version of all that are there.
grpc::Status InferenceService::ModelStatistics(grpc::ServerContext*,
                                               const inference::ModelStatisticsRequest* request,
                                               inference::ModelStatisticsResponse* response) {
  const auto add = [&](const auto& versions) {
    for (const auto& [version, entry] : versions) {
      if (entry.network == nullptr) continue;
      *response->add_model_stats() = DescribeStatistics(*entry.network);
    }
  };
  if (request->name().empty() && request->version().empty()) {
    for (const auto& [name, versions] : parts_.repository.models()) add(versions);
    return grpc::Status::OK;
  }
  const auto found = parts_.repository.Find(request->name(), request->version());
  if (!found.ok()) return ToGrpc(found.status());
  if (request->version().empty()) {
    add(parts_.repository.versions(request->name()));
  } else {
    *response->add_model_stats() = DescribeStatistics(**found);
  }
  return grpc::Status::OK;
}

}  // namespace lazynet::handlers
