#include "tests/service/cli/fake_server.h"

#include <grpcpp/grpcpp.h>

#include <limits>

#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "proto/inference.grpc.pb.h"
#include "proto/lazynet/v1/lazynet.grpc.pb.h"

namespace lazynet::cli {
namespace {

template <typename Request, typename Response>
grpc::Status Answer(const Handler<Request, Response>& handler, const Request& request,
                    Response* response) {
  if (!handler) return {grpc::StatusCode::UNIMPLEMENTED, "not in this test"};
  auto answer = handler(request);
  if (answer.ok()) {
    *response = *std::move(answer);
    return grpc::Status::OK;
  }
  return {static_cast<grpc::StatusCode>(answer.status().code()),
          std::string(Message(answer.status()))};
}

class Inference : public inference::GRPCInferenceService::Service {
 public:
  explicit Inference(const Handlers& handlers) : handlers_(handlers) {}

  grpc::Status RepositoryIndex(grpc::ServerContext*,
                               const inference::RepositoryIndexRequest* request,
                               inference::RepositoryIndexResponse* response) override {
    return Answer(handlers_.index, *request, response);
  }
  grpc::Status ModelMetadata(grpc::ServerContext*, const inference::ModelMetadataRequest* request,
                             inference::ModelMetadataResponse* response) override {
    return Answer(handlers_.metadata, *request, response);
  }
  grpc::Status ModelInfer(grpc::ServerContext*, const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    return Answer(handlers_.infer, *request, response);
  }

 private:
  const Handlers& handlers_;
};

class LazyNetworks : public v1::LazyNetworkService::Service {
 public:
  explicit LazyNetworks(const Handlers& handlers) : handlers_(handlers) {}

  grpc::Status DescribeNetwork(grpc::ServerContext*, const v1::DescribeNetworkRequest* request,
                               v1::DescribeNetworkResponse* response) override {
    return Answer(handlers_.describe, *request, response);
  }

 private:
  const Handlers& handlers_;
};

class Health : public grpc::health::v1::Health::Service {
 public:
  explicit Health(const Handlers& handlers) : handlers_(handlers) {}

  grpc::Status Check(grpc::ServerContext*, const grpc::health::v1::HealthCheckRequest* request,
                     grpc::health::v1::HealthCheckResponse* response) override {
    return Answer(handlers_.health, *request, response);
  }

 private:
  const Handlers& handlers_;
};

}  // namespace

struct FakeServer::Parts {
  explicit Parts(const Handlers& handlers)
      : inference(handlers), lazy_networks(handlers), health(handlers) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(std::numeric_limits<int>::max());
    builder.RegisterService(&inference);
    builder.RegisterService(&lazy_networks);
    builder.RegisterService(&health);
    server = builder.BuildAndStart();
    LAZYNET_CHECK(server != nullptr);
  }

  int port = 0;
  Inference inference;
  LazyNetworks lazy_networks;
  Health health;
  std::unique_ptr<grpc::Server> server;
};

FakeServer::FakeServer() : parts_(std::make_unique<Parts>(handlers)) {}

FakeServer::~FakeServer() { parts_->server->Shutdown(); }

std::string FakeServer::address() const { return fmt::format("127.0.0.1:{}", parts_->port); }

}  // namespace lazynet::cli
