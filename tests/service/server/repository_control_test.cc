// RepositoryModelLoad and Unload, and what else belongs to the admin address of the Open Inference
// Protocol.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::InferAnswer;
using testing::LiveServer;
using testing::TemporaryRepository;

std::string Times(int factor) {
  return "layers { name: \"y\" mul { other: " + std::to_string(factor) + " } }";
}

class RepositoryControl : public ::testing::Test {
 protected:
  using Service = inference::GRPCInferenceService;

  RepositoryControl() {
    repository_.Write("times/network.textproto", Times(2));
    live_ = std::make_unique<LiveServer>(repository_.path());
    admin_ = Service::NewStub(live_->AdminChannel());
  }

  static grpc::Status Load(Service::Stub& stub, const std::string& model) {
    inference::RepositoryModelLoadRequest request;
    request.set_model_name(model);
    inference::RepositoryModelLoadResponse response;
    grpc::ClientContext context;
    return stub.RepositoryModelLoad(&context, request, &response);
  }
  grpc::Status Load(const std::string& model) { return Load(*admin_, model); }

  static grpc::Status Unload(Service::Stub& stub, const std::string& model) {
    inference::RepositoryModelUnloadRequest request;
    request.set_model_name(model);
    // tritonclient always sends it.
    (*request.mutable_parameters())["unload_dependents"].set_bool_param(false);
    inference::RepositoryModelUnloadResponse response;
    grpc::ClientContext context;
    return stub.RepositoryModelUnload(&context, request, &response);
  }
  grpc::Status Unload(const std::string& model) { return Unload(*admin_, model); }

  // "version state reason" of each of a model's versions.
  std::vector<std::string> Index(const std::string& model) {
    inference::RepositoryIndexResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(live_->inference().RepositoryIndex(&context, {}, &response).ok());
    std::vector<std::string> lines;
    for (const auto& one : response.models()) {
      if (one.name() == model) {
        lines.push_back(one.version() + " " + one.state() + " " + one.reason());
      }
    }
    return lines;
  }

  // What the model makes of 1.
  float Answer(const std::string& model) {
    const InferAnswer answer = live_->Infer(model, {1, 1}, {1});
    return answer.status.ok() ? answer.floats()[0] : -1;
  }
  grpc::StatusCode Code(const std::string& model) {
    return live_->Infer(model, {1, 1}, {1}).status.error_code();
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
  std::unique_ptr<Service::Stub> admin_;
};

TEST_F(RepositoryControl, LoadingTakesWhatIsInTheFolderNow) {
  EXPECT_EQ(Answer("times"), 2);
  repository_.Write("times/network.textproto", Times(3));
  EXPECT_EQ(Answer("times"), 2);
  const grpc::Status status = Load("times");
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Answer("times"), 3);
  repository_.Write("new/network.textproto", Times(7));
  EXPECT_EQ(Code("new"), grpc::StatusCode::NOT_FOUND);
  ASSERT_TRUE(Load("new").ok());
  EXPECT_EQ(Answer("new"), 7);
}

TEST_F(RepositoryControl, AFailedLoadLeavesTheOldOneServing) {
  repository_.Write("times/network.textproto", "layers { name: \"y\" linear {} }");
  const grpc::Status status = Load("times");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              AllOf(HasSubstr("model \"times\" version 1: "), HasSubstr("out_features")));
  EXPECT_EQ(Answer("times"), 2);
  EXPECT_THAT(Index("times"), ElementsAre("1 READY "));
}

TEST_F(RepositoryControl, VersionsComeAndGo) {
  repository_.Write("many/1/network.textproto", Times(1));
  repository_.Write("many/2/network.textproto", Times(2));
  ASSERT_TRUE(Load("many").ok());
  EXPECT_EQ(Answer("many"), 2);
  std::filesystem::remove_all(repository_.path() / "many/2");
  repository_.Write("many/3/network.textproto", "no definition");
  EXPECT_EQ(Load("many").error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(Index("many"), ElementsAre("1 READY ", "2 UNAVAILABLE unloaded",
                                         HasSubstr("3 UNAVAILABLE network.textproto:1")));
  EXPECT_EQ(Answer("many"), 1);
}

TEST_F(RepositoryControl, TheVersionPolicyChoosesWhatIsLoaded) {
  for (const int version : {1, 2, 10}) {
    repository_.Write("many/" + std::to_string(version) + "/network.textproto", Times(version));
  }
  const auto load_with = [&](const std::string& policy) {
    repository_.Write("many/serving.textproto", "version_policy { " + policy + " }");
    return Load("many");
  };
  EXPECT_TRUE(load_with("latest { num_versions: 2 }").ok());
  EXPECT_THAT(Index("many"), ElementsAre("2 READY ", "10 READY "));
  EXPECT_EQ(Answer("many"), 10);
  inference::ModelConfigRequest request;
  request.set_name("many");
  inference::ModelConfigResponse response;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(live_->inference().ModelConfig(&context, request, &response).ok());
    EXPECT_EQ(response.config().version_policy().latest().num_versions(), 2u);
  }
  // What the policy leaves out ends; what it wants and is not there is said.
  const grpc::Status status = load_with("specific { versions: [1, 3] }");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("version 3: version_policy wants it"));
  EXPECT_THAT(Index("many"),
              ElementsAre("1 READY ", "2 UNAVAILABLE unloaded",
                          "3 UNAVAILABLE version_policy wants it, and it has no folder",
                          "10 UNAVAILABLE unloaded"));
  EXPECT_EQ(Answer("many"), 1);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(live_->inference().ModelConfig(&context, request, &response).ok());
    EXPECT_THAT(response.config().version_policy().specific().versions(), ElementsAre(1, 3));
  }
  EXPECT_THAT(load_with("specific { versions: 0 }").error_message(),
              HasSubstr("serving.textproto: version_policy: wants versions of at least 1, got 0"));
  EXPECT_EQ(Answer("many"), 1);
  EXPECT_TRUE(load_with("all {}").ok());
  EXPECT_EQ(Answer("many"), 10);
  // Of a model without version folders there is version 1.
  repository_.Write("times/serving.textproto", "version_policy { latest {} }");
  EXPECT_TRUE(Load("times").ok());
  EXPECT_THAT(Index("times"), ElementsAre("1 READY "));
}

TEST_F(RepositoryControl, NothingOutsideTheFolderIsLoaded) {
  const testing::ScratchFolder outside;
  outside.Write("model/network.textproto", Times(5));
  outside.Write("weights", "secret");
  std::filesystem::create_directory_symlink(outside.path() / "model", repository_.path() / "out");
  EXPECT_THAT(Load("out").error_message(), HasSubstr("leads out of the model repository"));
  repository_.Write("inner/network.textproto", Times(1));
  std::filesystem::create_symlink(outside.path() / "weights",
                                  repository_.path() / "inner/weights.safetensors");
  const grpc::Status status = Load("inner");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              HasSubstr("weights.safetensors: leads out of the model repository"));
  // Also when the server starts: the others are served.
  LiveServer again(repository_.path());
  EXPECT_EQ(again.Infer("out", {1, 1}, {1}).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(again.Infer("inner", {1, 1}, {1}).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(again.Infer("times", {1, 1}, {1}).floats()[0], 2);
  // A link within the folder is as good as what it leads to.
  std::filesystem::create_directory_symlink("times", repository_.path() / "alias");
  ASSERT_TRUE(Load("alias").ok());
  EXPECT_EQ(Answer("alias"), 2);
}

TEST_F(RepositoryControl, AnUnloadedModelIsGoneUntilItIsLoadedAgain) {
  ASSERT_TRUE(Unload("times").ok());
  EXPECT_EQ(Code("times"), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(Index("times"), ElementsAre("1 UNAVAILABLE unloaded"));
  EXPECT_TRUE(Unload("times").ok());
  EXPECT_TRUE(Unload("absent").ok());
  ASSERT_TRUE(Load("times").ok());
  EXPECT_EQ(Answer("times"), 2);
}

TEST_F(RepositoryControl, WhatCannotBeLoadedIsRefused) {
  EXPECT_EQ(Load("absent").error_code(), grpc::StatusCode::NOT_FOUND);
  for (const char* name : {"", "..", "../times", "times/1", "/etc", "."}) {
    EXPECT_EQ(Load(name).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << name;
    EXPECT_EQ(Unload(name).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << name;
  }
  inference::RepositoryModelLoadRequest request;
  request.set_model_name("times");
  (*request.mutable_parameters())["config"].set_string_param("{}");
  inference::RepositoryModelLoadResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(admin_->RepositoryModelLoad(&context, request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(RepositoryControl, ANetworkThatAClientRegisteredIsNoModelOfTheFolder) {
  const auto lazy = v1::LazyNetworkService::NewStub(live_->AdminChannel());
  v1::RegisterNetworkRequest request;
  request.set_name("mine");
  request.mutable_definition()->add_layers()->set_name("y");
  request.mutable_definition()->mutable_layers(0)->mutable_relu();
  v1::RegisterNetworkResponse response;
  grpc::ClientContext context;
  const grpc::Status status = lazy->RegisterNetwork(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Load("mine").error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Unload("mine").error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Answer("mine"), 1);
}

TEST_F(RepositoryControl, ChangesAreServedOnTheAdminAddressOnly) {
  for (const grpc::Status& status :
       {Load(live_->inference(), "times"), Unload(live_->inference(), "times")}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(status.error_message(), HasSubstr("--admin-address"));
  }
  inference::LogSettingsRequest request;
  inference::LogSettingsResponse response;
  {
    grpc::ClientContext context;
    EXPECT_TRUE(live_->inference().LogSettings(&context, request, &response).ok());
    EXPECT_TRUE(response.settings().at("log_error").bool_param());
  }
  (*request.mutable_settings())["log_info"].set_bool_param(true);
  {
    grpc::ClientContext context;
    EXPECT_EQ(live_->inference().LogSettings(&context, request, &response).error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
  grpc::ClientContext context;
  EXPECT_TRUE(admin_->LogSettings(&context, request, &response).ok());
}

// So that one client can load a model and use it.
TEST_F(RepositoryControl, TheAdminAddressInfersAsWell) {
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  const grpc::Status status =
      admin_->ModelInfer(&context, testing::RequestOf("times", {1, 1}, {1}), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace
}  // namespace lazynet
