#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/service/support/live_server.h"

namespace lazynet::testing {

inline constexpr const char* kMlp = R"(
    layers { name: "fc1" linear { out_features: 10 } }
    layers { name: "relu1" relu {} }
    layers { name: "fc2" linear { out_features: 1 } }
    layers { name: "relu2" relu {} })";

// A parameter as it goes over the wire.
struct WireValue {
  v1::StateDictEntry entry;
  std::string data;
};
using WireDict = std::map<std::string, WireValue>;

// A live server with a state directory and one model, "mlp", and the calls of an administrator.
class LazyNetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    repository_.Write("mlp/network.textproto", kMlp);
    Start();
  }

  void Start() {
    config::ServerConfig config;
    config.state_dir = state_.path().string();
    live_ = std::make_unique<LiveServer>(repository_.path(), config);
    admin_ = v1::LazyNetworkService::NewStub(live_->AdminChannel());
  }
  void Restart() {
    live_.reset();
    Start();
  }

  static v1::InitializeParametersRequest RequestOf(const std::string& model,
                                                   const std::vector<int64_t>& shape) {
    v1::InitializeParametersRequest request;
    request.set_name(model);
    auto& input = *request.add_inputs();
    input.set_name("input");
    for (const int64_t dim : shape) input.add_shape(dim);
    return request;
  }

  grpc::Status Initialize(const v1::InitializeParametersRequest& request,
                          v1::InitializeParametersResponse& response) {
    grpc::ClientContext context;
    return admin_->InitializeParameters(&context, request, &response);
  }
  grpc::Status Initialize(const std::string& model, const std::vector<int64_t>& shape) {
    v1::InitializeParametersResponse response;
    return Initialize(RequestOf(model, shape), response);
  }

  WireDict GetStateDict(const std::string& model) {
    v1::GetStateDictRequest request;
    request.set_name(model);
    grpc::ClientContext context;
    auto reader = live_->lazy_networks().GetStateDict(&context, request);
    WireDict dict;
    WireValue* last = nullptr;
    for (v1::StateDictPart part; reader->Read(&part);) {
      if (part.has_entry()) {
        last = &dict[part.entry().key()];
        last->entry = part.entry();
      } else {
        last->data += part.data();
      }
    }
    EXPECT_TRUE(reader->Finish().ok());
    return dict;
  }

  grpc::Status Load(const std::string& model, const WireDict& dict, bool strict,
                    v1::LoadStateDictResponse& response, bool validate_only = false) {
    grpc::ClientContext context;
    auto writer = admin_->LoadStateDict(&context, &response);
    v1::LoadStateDictRequest message;
    message.mutable_target()->set_name(model);
    message.mutable_target()->set_strict(strict);
    message.mutable_target()->set_validate_only(validate_only);
    writer->Write(message);
    for (const auto& [key, value] : dict) {
      *message.mutable_entry() = value.entry;
      writer->Write(message);
      // In two pieces, since any size will do.
      for (const std::string& data : {value.data.substr(0, value.data.size() / 3),
                                      value.data.substr(value.data.size() / 3)}) {
        message.set_data(data);
        writer->Write(message);
      }
    }
    writer->WritesDone();
    return writer->Finish();
  }

  template <typename Response, typename Request>
  grpc::Status Call(grpc::Status (v1::LazyNetworkService::Stub::*method)(grpc::ClientContext*,
                                                                         const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    return (*admin_.*method)(&context, request, &response);
  }

  grpc::Status Register(const std::string& name, const std::string& text) {
    v1::RegisterNetworkRequest request;
    request.set_name(name);
    request.set_text(text);
    v1::RegisterNetworkResponse response;
    return Call(&v1::LazyNetworkService::Stub::RegisterNetwork, request, response);
  }

  ScratchFolder state_;
  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
  std::unique_ptr<v1::LazyNetworkService::Stub> admin_;
};

}  // namespace lazynet::testing
