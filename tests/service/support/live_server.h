#pragma once

#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/tensor.h"
#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "proto/inference.grpc.pb.h"
#include "proto/lazynet/v1/lazynet.grpc.pb.h"
#include "service/server/server.h"
#include "tests/service/support/scratch_folder.h"

namespace lazynet::testing {

// A model repository in a folder of its own.
class TemporaryRepository : public ScratchFolder {
 public:
  // Copies the models that the repository embeds.
  void AddEmbeddedModels() const;
};

// The answer of a ModelInfer.
struct InferAnswer {
  grpc::Status status;
  inference::ModelInferResponse response;

  // Output `i` as numbers; FP32.
  std::vector<float> floats(int i = 0) const;
  std::vector<int64_t> shape(int i = 0) const;
};

// The real server in this process, on free ports of loopback, and clients for it.
class LiveServer {
 public:
  explicit LiveServer(const std::filesystem::path& repository, config::ServerConfig config = {});

  server::Server& server() { return *server_; }
  std::shared_ptr<grpc::Channel> channel() { return channel_; }
  std::shared_ptr<grpc::Channel> AdminChannel() const;
  inference::GRPCInferenceService::Stub& inference() { return *inference_; }
  v1::LazyNetworkService::Stub& lazy_networks() { return *lazy_networks_; }
  grpc::health::v1::Health::Stub& health() { return *health_; }

  // Sends one FP32 input called "input" in raw form.
  InferAnswer Infer(const std::string& model, const std::vector<int64_t>& shape,
                    const std::vector<float>& values);
  InferAnswer Infer(const inference::ModelInferRequest& request);

  v1::DescribeNetworkResponse Describe(const std::string& model);

  // Value of a series, such as lazynet_plan_cache_hits_total{model="m",version="1"}; -1 without.
  double Metric(const std::string& series);

 private:
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> inference_;
  std::unique_ptr<v1::LazyNetworkService::Stub> lazy_networks_;
  std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

inference::ModelInferRequest RequestOf(const std::string& model, const std::vector<int64_t>& shape,
                                       const std::vector<float>& values);

}  // namespace lazynet::testing
