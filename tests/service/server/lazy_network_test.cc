#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/service/support/lazy_network_fixture.h"

namespace lazynet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using testing::kMlp;
using testing::LazyNetworkTest;
using testing::WireDict;

TEST_F(LazyNetworkTest, ValidateOnlySaysWhatWouldBeCreatedAndChangesNothing) {
  auto request = RequestOf("mlp", {2, 10});
  request.set_validate_only(true);
  v1::InitializeParametersResponse response;
  // Served on the main address, too.
  grpc::ClientContext context;
  ASSERT_TRUE(live_->lazy_networks().InitializeParameters(&context, request, &response).ok());
  ASSERT_EQ(response.created_size(), 4);
  EXPECT_EQ(response.created(0).name(), "fc1.weight");
  EXPECT_THAT(response.created(0).shape(), ElementsAre(10, 10));
  EXPECT_EQ(response.created_bytes(), 484u);
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(2, 1));
  EXPECT_THAT(response.errors(), IsEmpty());
  EXPECT_EQ(live_->Describe("mlp").state(), v1::NETWORK_STATE_LAZY);

  *request.mutable_inputs(0)->mutable_shape() = {};
  v1::InitializeParametersResponse wrong;
  ASSERT_TRUE(Initialize(request, wrong).ok());
  EXPECT_THAT(wrong.errors(),
              ElementsAre(HasSubstr("layer \"fc1\" (Linear): wants a rank of at least 1")));
}

TEST_F(LazyNetworkTest, InitializesByShapesAlone) {
  v1::InitializeParametersResponse response;
  ASSERT_TRUE(Initialize(RequestOf("mlp", {10, 10}), response).ok());
  EXPECT_EQ(response.binding().source(), "admin");
  EXPECT_EQ(response.parameter_hash().size(), 64u);
  EXPECT_EQ(response.created(0).state(), v1::PARAMETER_STATE_INITIALIZED);
  EXPECT_EQ(live_->Describe("mlp").parameter_hash(), response.parameter_hash());
  // Again: nothing is created, as long as the shapes fit.
  v1::InitializeParametersResponse again;
  ASSERT_TRUE(Initialize(RequestOf("mlp", {3, 10}), again).ok());
  EXPECT_EQ(again.created_size(), 0);
  const grpc::Status other = Initialize("mlp", {3, 11});
  EXPECT_EQ(other.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(other.error_message(), HasSubstr("bound by InitializeParameters"));
}

TEST_F(LazyNetworkTest, InitializesByARequestAsModelInferTakesIt) {
  v1::InitializeParametersRequest request;
  request.set_name("mlp");
  auto infer = testing::RequestOf("mlp", {2, 3}, std::vector<float>(6));
  request.set_model_infer_request(infer.SerializeAsString());
  v1::InitializeParametersResponse response;
  ASSERT_TRUE(Initialize(request, response).ok());
  EXPECT_THAT(response.binding().inputs(0).shape(), ElementsAre(2, 3));
  infer.mutable_inputs(0)->set_datatype("FP64");
  request.set_model_infer_request(infer.SerializeAsString());
  EXPECT_EQ(Initialize(request, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(LazyNetworkTest, ChangesAreServedOnTheAdminAddressOnly) {
  grpc::ClientContext context;
  v1::InitializeParametersResponse response;
  const grpc::Status status =
      live_->lazy_networks().InitializeParameters(&context, RequestOf("mlp", {1, 2}), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(status.error_message(), HasSubstr("--admin-address"));
  EXPECT_EQ(live_->Describe("mlp").state(), v1::NETWORK_STATE_LAZY);
  grpc::ClientContext other;
  v1::ResetParametersResponse reset;
  EXPECT_EQ(live_->lazy_networks().ResetParameters(&other, {}, &reset).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(LazyNetworkTest, AStateDictComesBackAsItWasSent) {
  EXPECT_TRUE(GetStateDict("mlp")["fc1.weight"].entry.uninitialized());
  EXPECT_THAT(GetStateDict("mlp")["fc1.weight"].entry.shape(), ElementsAre(10, -1));
  ASSERT_TRUE(Initialize("mlp", {10, 10}).ok());
  const WireDict saved = GetStateDict("mlp");
  ASSERT_EQ(saved.size(), 4u);
  EXPECT_EQ(saved.at("fc1.weight").data.size(), 400u);
  const std::string hash = live_->Describe("mlp").parameter_hash();

  ASSERT_TRUE(Register("copy", kMlp).ok());
  v1::LoadStateDictResponse response;
  const grpc::Status loaded = Load("copy", saved, true, response);
  ASSERT_TRUE(loaded.ok()) << loaded.error_message();
  EXPECT_EQ(response.state(), v1::NETWORK_STATE_READY);
  EXPECT_EQ(response.parameter_hash(), hash);
  EXPECT_EQ(live_->Describe("copy").layers(0).parameters(0).origin(), v1::ORIGIN_CLIENT);
  EXPECT_EQ(live_->Infer("copy", {1, 10}, std::vector<float>(10, 1)).floats(),
            live_->Infer("mlp", {1, 10}, std::vector<float>(10, 1)).floats());
}

TEST_F(LazyNetworkTest, AWrongStateDictIsReportedWholeAndChangesNothing) {
  ASSERT_TRUE(Register("donor", kMlp).ok());
  ASSERT_TRUE(Initialize("donor", {1, 4}).ok());
  WireDict dict = GetStateDict("donor");
  dict["stranger"] = dict["fc2.bias"];
  dict["stranger"].entry.set_key("stranger");
  dict.erase("fc1.bias");
  v1::LoadStateDictResponse response;
  const grpc::Status strict = Load("mlp", dict, true, response);
  EXPECT_EQ(strict.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(strict.error_message(), HasSubstr("\"stranger\""));
  EXPECT_THAT(strict.error_message(), HasSubstr("\"fc1.bias\" is missing"));
  EXPECT_EQ(live_->Describe("mlp").state(), v1::NETWORK_STATE_LAZY);
  ASSERT_TRUE(Load("mlp", dict, false, response, true).ok());
  EXPECT_THAT(response.unexpected_keys(), ElementsAre("stranger"));
  EXPECT_THAT(response.missing_keys(), ElementsAre("fc1.bias"));
  EXPECT_EQ(live_->Describe("mlp").state(), v1::NETWORK_STATE_LAZY);
  ASSERT_TRUE(Load("mlp", dict, false, response).ok());
  EXPECT_EQ(response.state(), v1::NETWORK_STATE_READY);

  dict.at("fc1.weight").data.pop_back();
  EXPECT_EQ(Load("mlp", dict, false, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  dict.at("fc1.weight").entry.set_byte_size(uint64_t{1} << 50);
  EXPECT_EQ(Load("mlp", dict, false, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  dict.at("fc1.weight").entry.clear_shape();
  dict.at("fc1.weight").entry.add_shape(int64_t{1} << 30);
  dict.at("fc1.weight").entry.add_shape(int64_t{1} << 8);
  EXPECT_EQ(Load("mlp", dict, false, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  dict.at("fc1.weight").entry.set_byte_size(uint64_t{1} << 40);
  EXPECT_EQ(Load("mlp", dict, false, response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(LazyNetworkTest, CheckpointsAreSavedAndLoadedByName) {
  ASSERT_TRUE(Initialize("mlp", {1, 4}).ok());
  const std::string hash = live_->Describe("mlp").parameter_hash();
  v1::SaveCheckpointRequest save;
  save.set_name("mlp");
  save.set_checkpoint("best");
  v1::SaveCheckpointResponse saved;
  using Stub = v1::LazyNetworkService::Stub;
  ASSERT_TRUE(Call(&Stub::SaveCheckpoint, save, saved).ok());
  EXPECT_EQ(saved.keys_size(), 4);
  EXPECT_EQ(Call(&Stub::SaveCheckpoint, save, saved).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
  ASSERT_TRUE(Register("copy", kMlp).ok());
  v1::LoadCheckpointRequest load;
  load.set_name("copy");
  load.set_checkpoint("best");
  v1::LoadStateDictResponse loaded;
  ASSERT_TRUE(Call(&Stub::LoadCheckpoint, load, loaded).ok());
  EXPECT_EQ(loaded.parameter_hash(), hash);
  load.set_checkpoint("worst");
  EXPECT_EQ(Call(&Stub::LoadCheckpoint, load, loaded).error_code(), grpc::StatusCode::NOT_FOUND);
  load.set_checkpoint("../best");
  EXPECT_EQ(Call(&Stub::LoadCheckpoint, load, loaded).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(LazyNetworkTest, EverythingThatIsAcknowledgedSurvivesARestart) {
  ASSERT_TRUE(Register("registered", kMlp).ok());
  ASSERT_TRUE(live_->Infer("registered", {1, 6}, std::vector<float>(6)).status.ok());
  ASSERT_TRUE(Initialize("mlp", {1, 4}).ok());
  WireDict dict = GetStateDict("mlp");
  dict.at("fc1.bias").data = std::string(40, '\0');
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Load("mlp", dict, true, response).ok());
  const std::string mlp = live_->Describe("mlp").parameter_hash();
  const std::string registered = live_->Describe("registered").parameter_hash();
  Restart();
  EXPECT_EQ(live_->Describe("mlp").parameter_hash(), mlp);
  EXPECT_TRUE(live_->Describe("mlp").binding().adopted());
  EXPECT_EQ(live_->Describe("registered").parameter_hash(), registered);
  EXPECT_EQ(live_->Describe("registered").binding().source(), "first_request");
}

TEST_F(LazyNetworkTest, NetworksComeAndGo) {
  EXPECT_EQ(Register("mlp", kMlp).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(Register("../x", kMlp).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(Register("bad", "layers { name: 'a' conv9d {} }").error_message(), HasSubstr("1:"));
  EXPECT_THAT(Register("bad", R"(layers { name: "a" linear { out_features: 10 } }
                         layers { name: "b" linear { in_features: 20 out_features: 1 } })")
                  .error_message(),
              HasSubstr("layer \"b\" (Linear): wants in_features 20, got 10"));
  ASSERT_TRUE(Register("new", kMlp).ok());
  ASSERT_TRUE(live_->Infer("new", {1, 2}, {1, 2}).status.ok());
  v1::UnregisterNetworkRequest request;
  request.set_name("new");
  v1::UnregisterNetworkResponse response;
  using Stub = v1::LazyNetworkService::Stub;
  ASSERT_TRUE(Call(&Stub::UnregisterNetwork, request, response).ok());
  EXPECT_EQ(live_->Infer("new", {1, 2}, {1, 2}).status.error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_name("mlp");
  EXPECT_EQ(Call(&Stub::UnregisterNetwork, request, response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(LazyNetworkTest, WatchersSeeEveryLastState) {
  v1::WatchNetworksRequest request;
  request.add_names("mlp");
  grpc::ClientContext context;
  auto reader = live_->lazy_networks().WatchNetworks(&context, request);
  v1::NetworkEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.name(), "mlp");
  EXPECT_EQ(event.state(), v1::NETWORK_STATE_LAZY);
  ASSERT_TRUE(Initialize("mlp", {1, 2}).ok());
  while (event.state() != v1::NETWORK_STATE_READY) ASSERT_TRUE(reader->Read(&event));
  context.TryCancel();
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(LazyNetworkTest, ResetMakesItLazyAgain) {
  ASSERT_TRUE(Initialize("mlp", {1, 2}).ok());
  v1::ResetParametersRequest request;
  request.set_name("mlp");
  v1::ResetParametersResponse response;
  ASSERT_TRUE(Call(&v1::LazyNetworkService::Stub::ResetParameters, request, response).ok());
  EXPECT_EQ(response.state(), v1::NETWORK_STATE_LAZY);
  EXPECT_TRUE(live_->Infer("mlp", {1, 7}, std::vector<float>(7)).status.ok());
}

// 256 clients at once, half of them with another feature size.
TEST_F(LazyNetworkTest, OfManyFirstRequestsExactlyOneBinds) {
  constexpr int kClients = 256;
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  std::vector<float> first(kClients);
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const int64_t features = 6 + i % 2;
      const auto answer =
          live_->Infer("mlp", {1, features}, std::vector<float>(size_t(features), 0.5f));
      if (answer.status.ok()) {
        first[size_t(i)] = answer.floats()[0];
        ++good;
      } else {
        EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
        EXPECT_THAT(answer.status.error_message(), HasSubstr("bound by the first request"));
        first[size_t(i)] = -1;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, kClients / 2);
  const auto winner = static_cast<size_t>(live_->Describe("mlp").binding().inputs(0).shape(1) - 6);
  for (size_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(first[i], i % 2 == winner ? first[winner] : -1);
  }
  EXPECT_EQ(live_->Metric("lazynet_materializations_total{model=\"mlp\",version=\"1\","
                          "source=\"first_request\",outcome=\"success\"}"),
            1);
}

TEST(OneAddress, ServesEverythingThere) {
  testing::ScratchFolder sockets;
  testing::TemporaryRepository repository;
  repository.Write("mlp/network.textproto", kMlp);
  config::ServerConfig config;
  config.model_repository = repository.path().string();
  config.grpc_address = config.admin_address = "unix:" + (sockets.path() / "grpc").string();
  config.metrics_address = "127.0.0.1:0";
  auto server = server::Server::Start(config);
  ASSERT_TRUE(server.ok()) << server.status();
  const auto channel = grpc::CreateChannel(config.grpc_address, grpc::InsecureChannelCredentials());
  const auto stub = v1::LazyNetworkService::NewStub(channel);
  v1::ResetParametersRequest request;
  request.set_name("mlp");
  v1::ResetParametersResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub->ResetParameters(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace
}  // namespace lazynet
