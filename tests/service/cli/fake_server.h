#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/core/status.h"
#include "proto/grpc/health/v1/health.pb.h"
#include "proto/inference.pb.h"
#include "proto/lazynet/v1/lazynet.pb.h"

namespace lazynet::cli {

// The answer to a call, or its error; a method that has none answers UNIMPLEMENTED.
template <typename Request, typename Response>
using Handler = std::function<absl::StatusOr<Response>(const Request&)>;

struct Handlers {
  Handler<inference::RepositoryIndexRequest, inference::RepositoryIndexResponse> index;
  Handler<inference::ModelMetadataRequest, inference::ModelMetadataResponse> metadata;
  Handler<inference::ModelInferRequest, inference::ModelInferResponse> infer;
  Handler<v1::DescribeNetworkRequest, v1::DescribeNetworkResponse> describe;
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
