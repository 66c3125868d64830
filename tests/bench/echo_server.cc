// A server that computes nothing: what a ModelInfer takes in gRPC alone, with messages of the same
// size. It asks the server at --like for everything else, and for its answer to the first
// ModelInfer, which it gives to all that follow. README.md beside this file tells how to use it.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "proto/inference.grpc.pb.h"
#include "service/server/heap.h"

namespace {

using inference::GRPCInferenceService;

class Echo : public GRPCInferenceService::WithRawMethod_ModelInfer<GRPCInferenceService::Service> {
 public:
  explicit Echo(const std::shared_ptr<grpc::Channel>& like)
      : like_(GRPCInferenceService::NewStub(like)), raw_(like) {}

  grpc::Status ModelMetadata(grpc::ServerContext*, const inference::ModelMetadataRequest* request,
                             inference::ModelMetadataResponse* response) override {
    grpc::ClientContext context;
    return like_->ModelMetadata(&context, *request, response);
  }

  // Of the poller alone.
  const grpc::ByteBuffer& Answer(const grpc::ByteBuffer& request) {
    if (answer_.Valid()) return answer_;
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    grpc::Status status;
    const auto call = raw_.PrepareUnaryCall(&context, "/inference.GRPCInferenceService/ModelInfer",
                                            request, &queue);
    call->StartCall();
    call->Finish(&answer_, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return answer_;
  }

 private:
  const std::unique_ptr<GRPCInferenceService::Stub> like_;
  grpc::GenericStub raw_;
  grpc::ByteBuffer answer_;
};

// One ModelInfer: received, answered, gone.
class Call {
 public:
  Call(Echo& echo, grpc::ServerCompletionQueue& queue)
      : echo_(echo), queue_(queue), writer_(&context_) {
    echo_.RequestModelInfer(&context_, &request_, &writer_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new Call(echo_, queue_);
    answered_ = true;
    writer_.Finish(echo_.Answer(request_), grpc::Status::OK, this);
  }

 private:
  Echo& echo_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
  bool answered_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  lazynet::server::TuneHeap();
  CLI::App app{"Answers every ModelInfer as another server answered the first one.", "echo_server"};
  std::string address = "127.0.0.1:8101";
  std::string like = "127.0.0.1:8001";
  app.add_option("--grpc-address", address, "Where to listen")->capture_default_str();
  app.add_option("--like", like, "The server to be like")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Echo echo(grpc::CreateChannel(like, grpc::InsecureChannelCredentials()));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&echo);
  builder.SetMaxReceiveMessageSize(-1);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "cannot listen on %s\n", address.c_str());
    return 1;
  }
  new Call(echo, *queue);
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<Call*>(tag)->Proceed(ok);
  return 0;
}
