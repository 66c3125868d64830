#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/status.h"
#include "proto/grpc/health/v1/health.pb.h"
#include "proto/inference.pb.h"
#include "proto/lazynet/v1/lazynet.pb.h"

namespace lazynet::cli {

// The answer to a call, or its error; a method that has none answers UNIMPLEMENTED.
template <typename Request, typename Response>
using Handler = std::function<absl::StatusOr<Response>(const Request&)>;

// What a stream sends before it ends.
template <typename Message>
struct Stream {
  std::vector<Message> messages;
  absl::Status end;
};

struct Handlers {
  Handler<inference::RepositoryIndexRequest, inference::RepositoryIndexResponse> index;
  Handler<inference::ModelMetadataRequest, inference::ModelMetadataResponse> metadata;
  Handler<inference::ModelInferRequest, inference::ModelInferResponse> infer;
  Handler<inference::ModelStatisticsRequest, inference::ModelStatisticsResponse> statistics;
  Handler<v1::DescribeNetworkRequest, v1::DescribeNetworkResponse> describe;
  Handler<v1::DescribePlanRequest, v1::DescribePlanResponse> describe_plan;
  Handler<v1::InitializeParametersRequest, v1::InitializeParametersResponse> materialize;
  Handler<v1::ResetParametersRequest, v1::ResetParametersResponse> reset;
  Handler<v1::RegisterNetworkRequest, v1::RegisterNetworkResponse> register_network;
  Handler<v1::UnregisterNetworkRequest, v1::UnregisterNetworkResponse> unregister;
  Handler<v1::SaveCheckpointRequest, v1::SaveCheckpointResponse> save_checkpoint;
  Handler<v1::LoadCheckpointRequest, v1::LoadStateDictResponse> load_checkpoint;
  Handler<v1::GetStateDictRequest, Stream<v1::StateDictPart>> get_state_dict;
  // Gets all that was sent; without it nothing is read.
  Handler<std::vector<v1::LoadStateDictRequest>, v1::LoadStateDictResponse> load_state_dict;
  Handler<v1::WatchNetworksRequest, Stream<v1::NetworkEvent>> watch;
  Handler<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse> health;
};

// A gRPC server on a free loopback port, whose methods the test writes. `handlers` are set before
// calls come, and are called on the server's threads.
class FakeServer {
 public:
  FakeServer();
  ~FakeServer();

  std::string address() const;

  Handlers handlers;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lazynet::cli
