#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/core/status.h"
#include "proto/grpc/health/v1/health.pb.h"
#include "proto/inference.pb.h"
#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/cli/credentials.h"

namespace lazynet::cli {

// Calls to one server, without any proxy of the environment. Errors are the
// server's, or gRPC's own; reached() tells which. Not safe to share between threads.
class Client {
 public:
  // `server` is host:port, or any name gRPC resolves. Does not connect yet. All calls together may
  // take `timeout_seconds` from now on; 0 = no limit.
  Client(const std::string& server, const Credentials& credentials, double timeout_seconds);
  ~Client();

  absl::StatusOr<inference::RepositoryIndexResponse> RepositoryIndex();
  absl::StatusOr<inference::ModelMetadataResponse> ModelMetadata(const std::string& name,
                                                                 const std::string& version);
  absl::StatusOr<inference::ModelStatisticsResponse> ModelStatistics(const std::string& name,
                                                                     const std::string& version);
  absl::StatusOr<v1::DescribeNetworkResponse> DescribeNetwork(const std::string& name,
                                                              const std::string& version);
  absl::StatusOr<v1::DescribePlanResponse> DescribePlan(const v1::DescribePlanRequest& request);
  absl::StatusOr<v1::InitializeParametersResponse> InitializeParameters(
      const v1::InitializeParametersRequest& request);
  absl::StatusOr<v1::ResetParametersResponse> ResetParameters(const std::string& name,
                                                              const std::string& version);
  absl::StatusOr<v1::RegisterNetworkResponse> RegisterNetwork(
      const v1::RegisterNetworkRequest& request);
  absl::StatusOr<v1::UnregisterNetworkResponse> UnregisterNetwork(const std::string& name,
                                                                  const std::string& version);
  absl::StatusOr<v1::SaveCheckpointResponse> SaveCheckpoint(
      const v1::SaveCheckpointRequest& request);
  absl::StatusOr<v1::LoadStateDictResponse> LoadCheckpoint(
      const v1::LoadCheckpointRequest& request);

  // Calls `take` with each message, in order, until it returns false, which is no error.
  absl::Status GetStateDict(const v1::GetStateDictRequest& request,
                            const std::function<bool(const v1::StateDictPart&)>& take);

  // Sends what `next` makes until it returns false, or the server has heard enough.
  absl::StatusOr<v1::LoadStateDictResponse> LoadStateDict(
      const std::function<bool(v1::LoadStateDictRequest&)>& next);

  // Calls `take` with each event, until that returns false, which is no error.
  absl::Status WatchNetworks(const v1::WatchNetworksRequest& request,
                             const std::function<bool(const v1::NetworkEvent&)>& take);

  absl::StatusOr<inference::ModelInferResponse> ModelInfer(
      const inference::ModelInferRequest& request);
  absl::StatusOr<grpc::health::v1::HealthCheckResponse> CheckHealth(const std::string& service);

  // Whether the last call came as far as a server, whatever that then said.
  bool reached() const;

  // Waits `seconds`, or until the time is up: then false.
  bool Pause(double seconds) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lazynet::cli
