#include "service/cli/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "proto/inference.grpc.pb.h"
#include "proto/lazynet/v1/lazynet.grpc.pb.h"
#include "service/cli/channel.h"

namespace lazynet::cli {
namespace {

using Clock = std::chrono::system_clock;

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

struct Client::Parts {
  Parts(const std::string& address, const Credentials& credentials, double timeout_seconds)
      : deadline(timeout_seconds > 0 ? Clock::now() + Seconds(timeout_seconds)
                                     : Clock::time_point::max()),
        channel(Connect(address, credentials)),
        token(credentials.token),
        inference(channel),
        lazy_networks(channel),
        health(channel) {}

  void Prepare(grpc::ClientContext& context) const {
    context.set_deadline(deadline);
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  }

  template <typename Response, typename Stub, typename Request>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    grpc::ClientContext context;
    Prepare(context);
    Response response;
    RETURN_IF_ERROR(End((stub.*method)(&context, request, &response)));
    return response;
  }

  // Gives `take` each message of a stream, until it returns false.
  template <typename Response, typename Request>
  absl::Status Read(std::unique_ptr<grpc::ClientReader<Response>> (
                        v1::LazyNetworkService::Stub::*method)(grpc::ClientContext*,
                                                               const Request&),
                    const Request& request, const std::function<bool(const Response&)>& take) {
    grpc::ClientContext context;
    Prepare(context);
    const auto reader = (lazy_networks.*method)(&context, request);
    bool enough = false;
    for (Response response; !enough && reader->Read(&response);) enough = !take(response);
    if (enough) context.TryCancel();
    const grpc::Status status = reader->Finish();
    return End(enough ? grpc::Status::OK : status);
  }

  // How a call ended; notes whether it came as far as a server.
  absl::Status End(const grpc::Status& status) {
    reached = true;
    if (status.ok()) return absl::OkStatus();
    // Servers may answer with these codes, too: what tells is whether the connection stands.
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
        status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      reached = channel->GetState(false) == GRPC_CHANNEL_READY;
    }
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }

  const Clock::time_point deadline;
  const std::shared_ptr<grpc::Channel> channel;
  const std::string token;
  inference::GRPCInferenceService::Stub inference;
  v1::LazyNetworkService::Stub lazy_networks;
  grpc::health::v1::Health::Stub health;
  bool reached = false;
};

Client::Client(const std::string& server, const Credentials& credentials, double timeout_seconds)
    : parts_(std::make_unique<Parts>(server, credentials, timeout_seconds)) {}

Client::~Client() = default;

absl::StatusOr<inference::RepositoryIndexResponse> Client::RepositoryIndex() {
  return parts_->Call(parts_->inference, &inference::GRPCInferenceService::Stub::RepositoryIndex,
                      inference::RepositoryIndexRequest());
}

absl::StatusOr<inference::ModelMetadataResponse> Client::ModelMetadata(const std::string& name,
                                                                       const std::string& version) {
  inference::ModelMetadataRequest request;
  request.set_name(name);
  request.set_version(version);
  return parts_->Call(parts_->inference, &inference::GRPCInferenceService::Stub::ModelMetadata,
                      request);
}

absl::StatusOr<inference::ModelStatisticsResponse> Client::ModelStatistics(
    const std::string& name, const std::string& version) {
  inference::ModelStatisticsRequest request;
  request.set_name(name);
  request.set_version(version);
  return parts_->Call(parts_->inference, &inference::GRPCInferenceService::Stub::ModelStatistics,
                      request);
}

absl::StatusOr<v1::DescribeNetworkResponse> Client::DescribeNetwork(const std::string& name,
                                                                    const std::string& version) {
  v1::DescribeNetworkRequest request;
  request.set_name(name);
  request.set_version(version);
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::DescribeNetwork,
                      request);
}

absl::StatusOr<v1::DescribePlanResponse> Client::DescribePlan(
    const v1::DescribePlanRequest& request) {
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::DescribePlan, request);
}

absl::StatusOr<v1::InitializeParametersResponse> Client::InitializeParameters(
    const v1::InitializeParametersRequest& request) {
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::InitializeParameters,
                      request);
}

absl::StatusOr<v1::ResetParametersResponse> Client::ResetParameters(const std::string& name,
                                                                    const std::string& version) {
  v1::ResetParametersRequest request;
  request.set_name(name);
  request.set_version(version);
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::ResetParameters,
                      request);
}

absl::StatusOr<v1::RegisterNetworkResponse> Client::RegisterNetwork(
    const v1::RegisterNetworkRequest& request) {
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::RegisterNetwork,
                      request);
}

absl::StatusOr<v1::UnregisterNetworkResponse> Client::UnregisterNetwork(
    const std::string& name, const std::string& version) {
  v1::UnregisterNetworkRequest request;
  request.set_name(name);
  request.set_version(version);
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::UnregisterNetwork,
                      request);
}

absl::StatusOr<v1::SaveCheckpointResponse> Client::SaveCheckpoint(
    const v1::SaveCheckpointRequest& request) {
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::SaveCheckpoint,
                      request);
}

absl::StatusOr<v1::LoadStateDictResponse> Client::LoadCheckpoint(
    const v1::LoadCheckpointRequest& request) {
  return parts_->Call(parts_->lazy_networks, &v1::LazyNetworkService::Stub::LoadCheckpoint,
                      request);
}

absl::Status Client::GetStateDict(const v1::GetStateDictRequest& request,
                                  const std::function<bool(const v1::StateDictPart&)>& take) {
  return parts_->Read(&v1::LazyNetworkService::Stub::GetStateDict, request, take);
}

absl::StatusOr<v1::LoadStateDictResponse> Client::LoadStateDict(
    const std::function<bool(v1::LoadStateDictRequest&)>& next) {
  grpc::ClientContext context;
  parts_->Prepare(context);
  v1::LoadStateDictResponse response;
  const auto writer = parts_->lazy_networks.LoadStateDict(&context, &response);
  v1::LoadStateDictRequest message;
  while (next(message) && writer->Write(message)) {
  }
  writer->WritesDone();
  RETURN_IF_ERROR(parts_->End(writer->Finish()));
  return response;
}

absl::Status Client::WatchNetworks(const v1::WatchNetworksRequest& request,
                                   const std::function<bool(const v1::NetworkEvent&)>& take) {
  return parts_->Read(&v1::LazyNetworkService::Stub::WatchNetworks, request, take);
}

absl::StatusOr<inference::ModelInferResponse> Client::ModelInfer(
    const inference::ModelInferRequest& request) {
  return parts_->Call(parts_->inference, &inference::GRPCInferenceService::Stub::ModelInfer,
                      request);
}

absl::StatusOr<grpc::health::v1::HealthCheckResponse> Client::CheckHealth(
    const std::string& service) {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  return parts_->Call(parts_->health, &grpc::health::v1::Health::Stub::Check, request);
}

bool Client::reached() const { return parts_->reached; }

bool Client::Pause(double seconds) const {
  const Clock::time_point now = Clock::now();
  if (now >= parts_->deadline) return false;
  const Clock::time_point end = std::min(now + Seconds(seconds), parts_->deadline);
  // A channel connects only while somebody waits for it: else it looks at its sockets every 5 s.
  if (parts_->reached || !parts_->channel->WaitForConnected(end))
    std::this_thread::sleep_until(end);
  return Clock::now() < parts_->deadline;
}

}  // namespace lazynet::cli
