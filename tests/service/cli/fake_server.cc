#include "tests/service/cli/fake_server.h"

#include <grpcpp/grpcpp.h>

#include <limits>

#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "proto/inference.grpc.pb.h"
#include "proto/lazynet/v1/lazynet.grpc.pb.h"

namespace lazynet::cli {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(Message(status))};
}

template <typename Request, typename Response>
grpc::Status Answer(const Handler<Request, Response>& handler, const Request& request,
                    Response* response) {
  if (!handler) return {grpc::StatusCode::UNIMPLEMENTED, "not in this test"};
  auto answer = handler(request);
  if (answer.ok()) {
    *response = *std::move(answer);
    return grpc::Status::OK;
  }
  return ToGrpc(answer.status());
}

template <typename Request, typename Message>
grpc::Status Send(const Handler<Request, Stream<Message>>& handler, const Request& request,
                  grpc::ServerWriter<Message>* writer) {
  Stream<Message> stream;
  const grpc::Status status = Answer(handler, request, &stream);
  if (!status.ok()) return status;
  for (const Message& message : stream.messages) writer->Write(message);
  return ToGrpc(stream.end);
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
  grpc::Status ModelStatistics(grpc::ServerContext*,
                               const inference::ModelStatisticsRequest* request,
                               inference::ModelStatisticsResponse* response) override {
    return Answer(handlers_.statistics, *request, response);
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
  grpc::Status DescribePlan(grpc::ServerContext*, const v1::DescribePlanRequest* request,
                            v1::DescribePlanResponse* response) override {
    return Answer(handlers_.describe_plan, *request, response);
  }
  grpc::Status InitializeParameters(grpc::ServerContext*,
                                    const v1::InitializeParametersRequest* request,
                                    v1::InitializeParametersResponse* response) override {
    return Answer(handlers_.materialize, *request, response);
  }
  grpc::Status ResetParameters(grpc::ServerContext*, const v1::ResetParametersRequest* request,
                               v1::ResetParametersResponse* response) override {
    return Answer(handlers_.reset, *request, response);
  }
  grpc::Status RegisterNetwork(grpc::ServerContext*, const v1::RegisterNetworkRequest* request,
                               v1::RegisterNetworkResponse* response) override {
    return Answer(handlers_.register_network, *request, response);
  }
  grpc::Status UnregisterNetwork(grpc::ServerContext*, const v1::UnregisterNetworkRequest* request,
                                 v1::UnregisterNetworkResponse* response) override {
    return Answer(handlers_.unregister, *request, response);
  }
  grpc::Status SaveCheckpoint(grpc::ServerContext*, const v1::SaveCheckpointRequest* request,
                              v1::SaveCheckpointResponse* response) override {
    return Answer(handlers_.save_checkpoint, *request, response);
  }
  grpc::Status LoadCheckpoint(grpc::ServerContext*, const v1::LoadCheckpointRequest* request,
                              v1::LoadStateDictResponse* response) override {
    return Answer(handlers_.load_checkpoint, *request, response);
  }
  grpc::Status GetStateDict(grpc::ServerContext*, const v1::GetStateDictRequest* request,
                            grpc::ServerWriter<v1::StateDictPart>* writer) override {
    return Send(handlers_.get_state_dict, *request, writer);
  }
  grpc::Status LoadStateDict(grpc::ServerContext*,
                             grpc::ServerReader<v1::LoadStateDictRequest>* reader,
                             v1::LoadStateDictResponse* response) override {
    std::vector<v1::LoadStateDictRequest> messages;
    for (v1::LoadStateDictRequest message; handlers_.load_state_dict && reader->Read(&message);) {
      messages.push_back(message);
    }
    return Answer(handlers_.load_state_dict, messages, response);
  }
  grpc::Status WatchNetworks(grpc::ServerContext*, const v1::WatchNetworksRequest* request,
                             grpc::ServerWriter<v1::NetworkEvent>* writer) override {
    return Send(handlers_.watch, *request, writer);
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
