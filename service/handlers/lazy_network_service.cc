#include "service/handlers/lazy_network_service.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "service/handlers/describe_network.h"
#include "service/handlers/infer_codec.h"
#include "service/handlers/infer_inputs.h"
#include "service/handlers/request_log.h"
#include "service/handlers/state_dict_stream.h"
#include "service/handlers/status_mapping.h"
#include "service/hosting/definition.h"
#include "service/hosting/versions.h"

namespace lazynet::handlers {
namespace {

// Each holds a thread.
constexpr int kMaxWatchers = 256;

// How soon a watcher that went away is noticed.
constexpr auto kWatchPause = std::chrono::milliseconds(200);

// How often a plan may be run to measure it.
constexpr uint32_t kMaxProfileRuns = 1000;

// The shapes that were given for each input, in the network's order.
absl::StatusOr<std::vector<Shape>> ShapesOf(
    const nn::Network& network, const google::protobuf::RepeatedPtrField<v1::BoundInput>& inputs) {
  std::vector<std::optional<Shape>> shapes(network.inputs().size());
  for (const v1::BoundInput& input : inputs) {
    const auto found = std::find_if(network.inputs().begin(), network.inputs().end(),
                                    [&](const auto& own) { return own.name == input.name(); });
    if (found == network.inputs().end())
      return InvalidArgument("unknown input \"{}\"", input.name());
    if (!input.datatype().empty() && input.datatype() != Name(found->dtype)) {
      return InvalidArgument("input \"{}\": wants datatype {}, got \"{}\"", input.name(),
                             Name(found->dtype), input.datatype());
    }
    auto& shape = shapes[static_cast<size_t>(found - network.inputs().begin())];
    if (shape) return InvalidArgument("input \"{}\" is there twice", input.name());
    const std::span<const int64_t> dims(input.shape().data(),
                                        static_cast<size_t>(input.shape_size()));
    if (absl::Status status = CheckBounds(dims); !status.ok()) {
      return Annotate(fmt::format("input \"{}\"", input.name()), status);
    }
    shape = Shape(dims);
  }
  std::vector<Shape> all;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (!shapes[i]) {
      return InvalidArgument("input \"{}\" is missing: wants {} inputs, got {}",
                             network.inputs()[i].name, shapes.size(), inputs.size());
    }
    all.push_back(*std::move(shapes[i]));
  }
  return all;
}

absl::StatusOr<std::vector<Shape>> ShapesOf(const nn::Network& network,
                                            const v1::InitializeParametersRequest& request) {
  if (request.model_infer_request().empty()) return ShapesOf(network, request.inputs());
  if (!request.inputs().empty()) return InvalidArgument("wants inputs or a request, got both");
  grpc::Slice slice(request.model_infer_request());
  InferRequest decoded;
  RETURN_IF_ERROR(DecodeInferRequest(grpc::ByteBuffer(&slice, 1), decoded));
  ASSIGN_OR_RETURN(CheckedRequest checked, CheckRequest(network, decoded));
  return std::move(checked.shapes);
}

void Report(const hosting::HostedNetwork& hosted, const nn::LoadReport& report,
            v1::LoadStateDictResponse& response) {
  const hosting::Standing now = hosted.Look();
  for (const std::string& key : report.missing) response.add_missing_keys(key);
  for (const std::string& key : report.unexpected) response.add_unexpected_keys(key);
  for (const std::string& key : report.lossy) response.add_lossy_keys(key);
  response.set_state(Convert(hosted.state()));
  for (std::string& key : UnknownParameters(hosted.network(), *now.parameters)) {
    response.add_unknown_parameters(std::move(key));
  }
  response.set_parameter_hash(now.ParameterHash(hosted.network()));
}

// Loads and reports; with `dry` what is wrong is part of the report.
absl::Status LoadInto(hosting::HostedNetwork& hosted, const nn::StateDict& values, bool strict,
                      bool dry, v1::LoadStateDictResponse& response) {
  nn::LoadReport report;
  const absl::Status status =
      hosted.Load(values, {.allow_missing = !strict, .allow_unexpected = !strict}, dry, report);
  Report(hosted, report, response);
  if (!dry || status.ok()) return status;
  for (const auto& [key, problem] : report.mismatched) {
    response.add_errors(fmt::format("key \"{}\": {}", key, problem));
  }
  if (report.mismatched.empty()) response.add_errors(std::string(Message(status)));
  return absl::OkStatus();
}

}  // namespace

grpc::Status LazyNetworkService::DescribeNetwork(grpc::ServerContext*,
                                                 const v1::DescribeNetworkRequest* request,
                                                 v1::DescribeNetworkResponse* response) {
  const auto found = repository_.Find(request->name(), request->version());
  if (found.status().code() == absl::StatusCode::kUnavailable) {
    response->set_name(request->name());
    response->set_version(request->version());
    response->set_state(v1::NETWORK_STATE_UNAVAILABLE);
    response->set_reason(std::string(Message(found.status())));
    return grpc::Status::OK;
  }
  if (!found.ok()) return ToGrpc(found.status());
  DescribeHosted(**found, *response);
  return grpc::Status::OK;
}

grpc::Status LazyNetworkService::DescribePlan(grpc::ServerContext* context,
                                              const v1::DescribePlanRequest* request,
                                              v1::DescribePlanResponse* response) {
  return ToGrpc(DescribePlanFor(*context, *request, *response));
}

absl::Status LazyNetworkService::DescribePlanFor(const grpc::ServerContext& context,
                                                 const v1::DescribePlanRequest& request,
                                                 v1::DescribePlanResponse& response) {
  const uint32_t runs = request.profile_runs();
  if (runs > 0)
    RETURN_IF_ERROR(
        options_.admin.Check(context, "DescribePlan with profile_runs", "runs the network"));
  if (runs > kMaxProfileRuns) {
    return InvalidArgument("profile_runs: wants at most {}, got {}", kMaxProfileRuns, runs);
  }
  ASSIGN_OR_RETURN(const auto hosted, repository_.Find(request.name(), request.version()));
  std::vector<Shape> shapes;
  if (!request.inputs().empty()) {
    ASSIGN_OR_RETURN(shapes, ShapesOf(hosted->network(), request.inputs()));
  }
  return plans_.Describe(
      hosted, std::move(shapes), static_cast<int>(runs), [&] { return context.IsCancelled(); },
      response);
}

grpc::Status LazyNetworkService::GetStateDict(grpc::ServerContext*,
                                              const v1::GetStateDictRequest* request,
                                              grpc::ServerWriter<v1::StateDictPart>* writer) {
  const auto found = repository_.Find(request->name(), request->version());
  if (!found.ok()) return ToGrpc(found.status());
  const auto set = (*found)->ParametersWithValues();
  if (!set.ok()) return ToGrpc(set.status());
  return ToGrpc(WriteStateDict((*found)->network(), **set, *request,
                               [&](const v1::StateDictPart& part) { return writer->Write(part); }));
}

grpc::Status LazyNetworkService::WatchNetworks(grpc::ServerContext* context,
                                               const v1::WatchNetworksRequest* request,
                                               grpc::ServerWriter<v1::NetworkEvent>* writer) {
  if (++watchers_ > kMaxWatchers) {
    --watchers_;
    return ToGrpc(ResourceExhausted("wants at most {} watchers, got one more", kMaxWatchers));
  }
  const auto& names = request->names();
  uint64_t seen = 0;
  bool there = true;
  while (there && !context->IsCancelled() && !events_.closed()) {
    for (const hosting::NetworkEvent& event : events_.Next(seen, kWatchPause)) {
      seen = event.sequence;
      if (!names.empty() && std::find(names.begin(), names.end(), event.name) == names.end()) {
        continue;
      }
      v1::NetworkEvent told;
      told.set_name(event.name);
      told.set_version(std::to_string(event.version));
      told.set_state(Convert(event.state));
      told.set_reason(event.reason);
      told.set_removed(event.removed);
      *told.mutable_time() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
          std::chrono::duration_cast<std::chrono::milliseconds>(event.time.time_since_epoch())
              .count());
      there = there && writer->Write(told);
    }
  }
  --watchers_;
  return events_.closed() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server stops")
                          : grpc::Status::OK;
}

grpc::Status LazyNetworkService::InitializeParameters(
    grpc::ServerContext* context, const v1::InitializeParametersRequest* request,
    v1::InitializeParametersResponse* response) {
  return ToGrpc(Initialize(*context, *request, *response));
}

absl::Status LazyNetworkService::Initialize(const grpc::ServerContext& context,
                                            const v1::InitializeParametersRequest& request,
                                            v1::InitializeParametersResponse& response) {
  if (!request.validate_only())
    RETURN_IF_ERROR(options_.admin.Check(context, "InitializeParameters"));
  ASSIGN_OR_RETURN(const auto hosted, repository_.Find(request.name(), request.version()));
  const nn::Network& network = hosted->network();
  ASSIGN_OR_RETURN(const std::vector<Shape> shapes, ShapesOf(network, request));
  const hosting::Forecast forecast = hosted->Foresee(shapes);
  for (const absl::Status& error : forecast.errors) {
    response.add_errors(std::string(Message(error)));
  }
  const auto before = hosted->parameters();
  for (const auto& [node, index] : forecast.created) {
    DescribeParameter(network, *before, forecast.sizes[static_cast<size_t>(node)], node, index,
                      *response.add_created());
  }
  response.set_created_bytes(forecast.created_bytes);
  response.set_parameter_bytes(forecast.parameter_bytes);
  for (size_t i = 0; i < forecast.outputs.size(); ++i) {
    DescribePort(network.outputs()[i].name, network.outputs()[i].dtype, forecast.outputs[i],
                 *response.add_outputs());
  }
  if (!request.validate_only()) {
    RETURN_IF_ERROR(hosted->Initialize(shapes).status());
    for (v1::ParameterDescription& created : *response.mutable_created()) {
      created.set_state(v1::PARAMETER_STATE_INITIALIZED);
      created.set_origin(v1::ORIGIN_INITIALIZER);
    }
  }
  if (const hosting::Standing now = hosted->Look(); now.binding() != nullptr) {
    DescribeBinding(network, *now.binding(), *response.mutable_binding());
    response.set_parameter_hash(now.ParameterHash(network));
  }
  return absl::OkStatus();
}

grpc::Status LazyNetworkService::LoadStateDict(grpc::ServerContext* context,
                                               grpc::ServerReader<v1::LoadStateDictRequest>* reader,
                                               v1::LoadStateDictResponse* response) {
  return ToGrpc(Load(*context, *reader, *response));
}

absl::Status LazyNetworkService::Load(const grpc::ServerContext& context,
                                      grpc::ServerReader<v1::LoadStateDictRequest>& reader,
                                      v1::LoadStateDictResponse& response) {
  RETURN_IF_ERROR(options_.admin.Check(context, "LoadStateDict"));
  v1::LoadStateDictRequest message;
  if (!reader.Read(&message) || !message.has_target()) {
    return InvalidArgument("wants a target in the first message");
  }
  const v1::LoadTarget target = message.target();
  ASSIGN_OR_RETURN(const auto hosted, repository_.Find(target.name(), target.version()));
  StateDictReader values(hosted->network(), options_.max_load_bytes);
  while (reader.Read(&message)) {
    if (message.has_entry()) {
      RETURN_IF_ERROR(values.Add(message.entry()));
    } else if (message.part_case() == v1::LoadStateDictRequest::kData) {
      RETURN_IF_ERROR(values.Add(message.data()));
    } else {
      return InvalidArgument("wants entries and data behind the target");
    }
  }
  ASSIGN_OR_RETURN(const nn::StateDict state_dict, values.Finish());
  return LoadInto(*hosted, state_dict, !target.has_strict() || target.strict(),
                  target.validate_only(), response);
}

grpc::Status LazyNetworkService::SaveCheckpoint(grpc::ServerContext* context,
                                                const v1::SaveCheckpointRequest* request,
                                                v1::SaveCheckpointResponse* response) {
  return ToGrpc(Save(*context, *request, *response));
}

absl::Status LazyNetworkService::Save(const grpc::ServerContext& context,
                                      const v1::SaveCheckpointRequest& request,
                                      v1::SaveCheckpointResponse& response) {
  RETURN_IF_ERROR(options_.admin.Check(context, "SaveCheckpoint"));
  ASSIGN_OR_RETURN(const auto hosted, repository_.Find(request.name(), request.version()));
  if (state_ == nullptr) return FailedPrecondition("checkpoints want a --state-dir, there is none");
  ASSIGN_OR_RETURN(const auto set, hosted->ParametersWithValues());
  const nn::Network& network = hosted->network();
  nn::StateDict values;
  for (size_t at = 0; at < network.nodes().size(); ++at) {
    for (size_t i = 0; i < network.nodes()[at].parameters().size(); ++i) {
      const std::string key = network.nodes()[at].ParameterName(static_cast<int>(i));
      const auto& value = set->value(static_cast<int>(at), static_cast<int>(i));
      if (!value) {
        response.add_uninitialized_keys(key);
        continue;
      }
      response.add_keys(key);
      values.emplace_back(key, value->tensor);
    }
  }
  ASSIGN_OR_RETURN(const uint64_t bytes,
                   state_->SaveCheckpoint(request.checkpoint(), values, request.overwrite()));
  response.set_file_bytes(bytes);
  return absl::OkStatus();
}

grpc::Status LazyNetworkService::LoadCheckpoint(grpc::ServerContext* context,
                                                const v1::LoadCheckpointRequest* request,
                                                v1::LoadStateDictResponse* response) {
  return ToGrpc(LoadSaved(*context, *request, *response));
}

absl::Status LazyNetworkService::LoadSaved(const grpc::ServerContext& context,
                                           const v1::LoadCheckpointRequest& request,
                                           v1::LoadStateDictResponse& response) {
  RETURN_IF_ERROR(options_.admin.Check(context, "LoadCheckpoint"));
  ASSIGN_OR_RETURN(const auto hosted, repository_.Find(request.name(), request.version()));
  if (state_ == nullptr) return FailedPrecondition("checkpoints want a --state-dir, there is none");
  ASSIGN_OR_RETURN(const nn::StateDict values, state_->LoadCheckpoint(request.checkpoint()));
  return LoadInto(*hosted, values, !request.has_strict() || request.strict(),
                  request.validate_only(), response);
}

grpc::Status LazyNetworkService::ResetParameters(grpc::ServerContext* context,
                                                 const v1::ResetParametersRequest* request,
                                                 v1::ResetParametersResponse* response) {
  return ToGrpc(Reset(*context, *request, *response));
}

absl::Status LazyNetworkService::Reset(const grpc::ServerContext& context,
                                       const v1::ResetParametersRequest& request,
                                       v1::ResetParametersResponse& response) {
  RETURN_IF_ERROR(options_.admin.Check(context, "ResetParameters"));
  ASSIGN_OR_RETURN(const auto hosted, repository_.Find(request.name(), request.version()));
  RETURN_IF_ERROR(hosted->Reset());
  response.set_state(Convert(hosted->state()));
  return absl::OkStatus();
}

grpc::Status LazyNetworkService::RegisterNetwork(grpc::ServerContext* context,
                                                 const v1::RegisterNetworkRequest* request,
                                                 v1::RegisterNetworkResponse* response) {
  const absl::Status status = Register(*context, *request, *response);
  if (!status.ok() && options_.admin.Check(*context, "RegisterNetwork").ok()) {
    LogRefusedLoad(request->name(), status);
  }
  return ToGrpc(status);
}

absl::Status LazyNetworkService::Register(const grpc::ServerContext& context,
                                          const v1::RegisterNetworkRequest& request,
                                          v1::RegisterNetworkResponse& response) {
  RETURN_IF_ERROR(options_.admin.Check(context, "RegisterNetwork"));
  const auto version = request.version().empty() ? std::optional<int64_t>(1)
                                                 : hosting::ParseVersion(request.version());
  if (!version) return InvalidArgument("wants a version number, got \"{}\"", request.version());
  v1::NetworkDefinition definition = request.definition();
  if (request.source_case() == v1::RegisterNetworkRequest::kText) {
    ASSIGN_OR_RETURN(definition, hosting::ReadDefinitionText(request.text()));
  }
  ASSIGN_OR_RETURN(const auto hosted,
                   repository_.Register(request.name(), *version, definition, request.serving()));
  response.set_version(std::to_string(hosted->version()));
  response.set_state(Convert(hosted->state()));
  return absl::OkStatus();
}

grpc::Status LazyNetworkService::UnregisterNetwork(grpc::ServerContext* context,
                                                   const v1::UnregisterNetworkRequest* request,
                                                   v1::UnregisterNetworkResponse*) {
  if (absl::Status status = options_.admin.Check(*context, "UnregisterNetwork"); !status.ok())
    return ToGrpc(status);
  return ToGrpc(repository_.Unregister(request->name(), request->version()));
}

}  // namespace lazynet::handlers
