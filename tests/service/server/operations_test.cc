#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "service/server/host.h"
#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using grpc::health::v1::HealthCheckResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LiveServer;
using testing::RequestOf;
using testing::TemporaryRepository;

class Operations : public ::testing::Test {
 protected:
  Operations() {
    repository_.AddEmbeddedModels();
    repository_.Write("broken/network.textproto", "layers { name: \"a\" linear {} }");
    repository_.Write("versions/3/network.textproto", "layers { name: \"a\" relu {} }");
    repository_.Write("versions/20/network.json", R"({"layers":[{"name":"a","tanh":{}}]})");
    repository_.Write("README.md", "not a model");
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  HealthCheckResponse::ServingStatus Health(const std::string& service) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    grpc::ClientContext context;
    const grpc::Status status = live_->health().Check(&context, request, &response);
    return status.ok() ? response.status() : HealthCheckResponse::SERVICE_UNKNOWN;
  }

  bool ModelReady(const std::string& model) {
    inference::ModelReadyRequest request;
    request.set_name(model);
    inference::ModelReadyResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(live_->inference().ModelReady(&context, request, &response).ok());
    return response.ready();
  }

  inference::ModelMetadataResponse Metadata(const std::string& model) {
    inference::ModelMetadataRequest request;
    request.set_name(model);
    inference::ModelMetadataResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(live_->inference().ModelMetadata(&context, request, &response).ok());
    return response;
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

std::vector<int64_t> ShapeOf(const inference::ModelMetadataResponse::TensorMetadata& tensor) {
  return {tensor.shape().begin(), tensor.shape().end()};
}

TEST_F(Operations, ABadModelDoesNotStopTheOthersAndSaysWhy) {
  inference::RepositoryIndexResponse index;
  grpc::ClientContext context;
  ASSERT_TRUE(live_->inference().RepositoryIndex(&context, {}, &index).ok());
  std::vector<std::string> rows;
  for (const auto& model : index.models()) {
    rows.push_back(model.name() + " " + model.version() + " " + model.state() +
                   (model.reason().empty() ? "" : ": " + model.reason()));
  }
  EXPECT_THAT(rows, ElementsAre("broken 1 UNAVAILABLE: definition: layer \"a\" (Linear): argument "
                                "out_features is missing",
                                "lazy_mlp 1 READY", "mnist 1 READY", "versions 3 READY",
                                "versions 20 READY"));
  const auto answer = live_->Infer("broken", {1}, {1});
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("argument out_features is missing"));
}

TEST_F(Operations, TheHighestVersionAnswersWhenNoneIsNamed) {
  auto request = RequestOf("versions", {1}, {-1.0f});
  EXPECT_EQ(live_->Infer(request).response.model_version(), "20");
  request.set_model_version("3");
  const auto answer = live_->Infer(request);
  EXPECT_EQ(answer.response.model_version(), "3");
  EXPECT_EQ(answer.floats(), std::vector<float>{0.0f});
}

TEST_F(Operations, LivenessAndReadinessAreHonest) {
  grpc::ClientContext live_context, ready_context;
  inference::ServerLiveResponse live;
  inference::ServerReadyResponse ready;
  ASSERT_TRUE(live_->inference().ServerLive(&live_context, {}, &live).ok());
  ASSERT_TRUE(live_->inference().ServerReady(&ready_context, {}, &ready).ok());
  EXPECT_TRUE(live.live());
  EXPECT_TRUE(ready.ready());
  EXPECT_TRUE(ModelReady("lazy_mlp"));  // lazy, and ready to take a request
  EXPECT_FALSE(ModelReady("broken"));
  EXPECT_FALSE(ModelReady("nobody"));
}

TEST_F(Operations, HealthAnswersPerModel) {
  EXPECT_EQ(Health(""), HealthCheckResponse::SERVING);
  EXPECT_EQ(Health("inference.GRPCInferenceService"), HealthCheckResponse::SERVING);
  EXPECT_EQ(Health("mnist"), HealthCheckResponse::SERVING);
  EXPECT_EQ(Health("broken"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Health("nobody"), HealthCheckResponse::SERVICE_UNKNOWN);  // NOT_FOUND on the wire
}

TEST_F(Operations, WatchersSeeTheDrainAndAreReleased) {
  grpc::ClientContext context, unknown_context;
  grpc::health::v1::HealthCheckRequest request;
  HealthCheckResponse response;
  const auto watch = live_->health().Watch(&context, request);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  request.set_service("nobody");
  const auto unknown = live_->health().Watch(&unknown_context, request);
  ASSERT_TRUE(unknown->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  unknown_context.TryCancel();
  EXPECT_EQ(unknown->Finish().error_code(), grpc::StatusCode::CANCELLED);

  auto shutdown =
      std::async(std::launch::async, [&] { live_->server().Shutdown(std::chrono::seconds(30)); });
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  shutdown.get();
}

TEST_F(Operations, AnIdleServerStopsAtOnceAndRefusesAfterwards) {
  ASSERT_TRUE(live_->Infer("lazy_mlp", {1, 3}, {1, 2, 3}).status.ok());
  live_->server().Shutdown(std::chrono::seconds(3600));
  EXPECT_EQ(live_->Infer("lazy_mlp", {1, 3}, {1, 2, 3}).status.error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Operations, MetadataShowsWhatMayVary) {
  const auto mnist = Metadata("mnist");
  EXPECT_EQ(mnist.platform(), "lazynet_network");
  EXPECT_THAT(ShapeOf(mnist.inputs(0)), ElementsAre(-1, 1, 28, 28));
  EXPECT_EQ(mnist.outputs(0).name(), "logits");
  EXPECT_THAT(ShapeOf(mnist.outputs(0)), ElementsAre(-1, 10));

  EXPECT_THAT(ShapeOf(Metadata("lazy_mlp").inputs(0)), ElementsAre(-1));
  ASSERT_TRUE(live_->Infer("lazy_mlp", {5, 3}, std::vector<float>(15)).status.ok());
  EXPECT_THAT(ShapeOf(Metadata("lazy_mlp").inputs(0)), ElementsAre(-1, 3));
  EXPECT_THAT(ShapeOf(Metadata("lazy_mlp").outputs(0)), ElementsAre(-1, 1));
  const auto versions = Metadata("versions").versions();
  EXPECT_THAT(std::vector<std::string>(versions.begin(), versions.end()), ElementsAre("3", "20"));
}

TEST_F(Operations, DescribeShowsTheNetworkBeforeAndAfterWithoutSideEffect) {
  const auto before = live_->Describe("lazy_mlp");
  EXPECT_EQ(live_->Describe("lazy_mlp").SerializeAsString(), before.SerializeAsString());
  EXPECT_THAT(before.repr(), HasSubstr("(fc1): LazyLinear(in_features=0, out_features=10, "
                                       "bias=True)"));
  EXPECT_TRUE(before.has_uninitialized_params());
  // fc2 reads the 10 features of fc1, whatever the input.
  EXPECT_EQ(before.known_parameter_count(), 21u);
  EXPECT_THAT(before.unknown_parameters(), ElementsAre("fc1.weight"));
  EXPECT_THAT(before.repr(), HasSubstr("(fc2): LazyLinear(in_features=10, out_features=1"));
  EXPECT_THAT(before.repr_before(), HasSubstr("(fc2): LazyLinear(in_features=0, out_features=1"));
  EXPECT_FALSE(before.has_binding());
  EXPECT_EQ(before.layers(0).type(), "LazyLinear");
  EXPECT_EQ(before.layers(0).parameters(0).state(), v1::PARAMETER_STATE_UNINITIALIZED);
  EXPECT_THAT(before.layers(0).parameters(0).shape(), ElementsAre(10, -1));

  ASSERT_TRUE(live_->Infer("lazy_mlp", {2, 784}, std::vector<float>(1568)).status.ok());
  const auto after = live_->Describe("lazy_mlp");
  EXPECT_EQ(after.repr_before(), before.repr_before());
  EXPECT_THAT(after.repr(),
              HasSubstr("(fc1): Linear(in_features=784, out_features=10, bias=True)"));
  EXPECT_FALSE(after.has_uninitialized_params());
  EXPECT_EQ(after.layers(0).parameters(0).origin(), v1::ORIGIN_INITIALIZER);
  EXPECT_THAT(after.binding().inputs(0).shape(), ElementsAre(2, 784));
  EXPECT_EQ(after.plans_size(), 1);
  EXPECT_GT(after.packed_weight_bytes(), 0u);

  const auto mnist = live_->Describe("mnist");
  EXPECT_EQ(mnist.binding().source(), "checkpoint");
  EXPECT_EQ(mnist.layers(0).parameters(0).origin(), v1::ORIGIN_CHECKPOINT);
  EXPECT_EQ(live_->Describe("broken").state(), v1::NETWORK_STATE_UNAVAILABLE);
}

TEST_F(Operations, TheAdminListenerDescribesToo) {
  const auto stub = v1::LazyNetworkService::NewStub(live_->AdminChannel());
  v1::DescribeNetworkRequest request;
  request.set_name("mnist");
  v1::DescribeNetworkResponse response;
  grpc::ClientContext context;
  EXPECT_TRUE(stub->DescribeNetwork(&context, request, &response).ok());
  EXPECT_EQ(response.name(), "mnist");
}

TEST_F(Operations, MetricsFollowARequest) {
  const std::string labels = "{model=\"lazy_mlp\",version=\"1\"}";
  EXPECT_EQ(live_->Metric("lazynet_plan_cache_hits_total" + labels), 0);
  EXPECT_EQ(live_->Metric("lazynet_uninitialized_parameters" + labels), 4);
  for (int i = 0; i < 3; ++i) live_->Infer("lazy_mlp", {2, 3}, std::vector<float>(6));
  live_->Infer("lazy_mlp", {2, 4}, std::vector<float>(8));
  live_->Infer("nobody", {1}, {1});
  EXPECT_EQ(live_->Metric("lazynet_plan_cache_hits_total" + labels), 2);
  EXPECT_EQ(live_->Metric("lazynet_plan_cache_misses_total" + labels), 2);
  EXPECT_EQ(live_->Metric("lazynet_uninitialized_parameters" + labels), 0);
  EXPECT_EQ(live_->Metric("lazynet_plan_cache_entries" + labels), 1);
  EXPECT_EQ(live_->Metric("lazynet_request_duration_seconds_count" + labels), 4);
  EXPECT_EQ(live_->Metric("lazynet_requests_in_flight" + labels), 0);
  EXPECT_EQ(
      live_->Metric("lazynet_network_state{model=\"lazy_mlp\",version=\"1\",state=\"ready\"}"), 1);
  EXPECT_EQ(live_->Metric("lazynet_requests_total{model=\"lazy_mlp\",version=\"1\",code="
                          "\"INVALID_ARGUMENT\"}"),
            1);
  EXPECT_EQ(live_->Metric("lazynet_requests_total{model=\"\",version=\"\",code=\"NOT_FOUND\"}"), 1);
  auto request = testing::RequestOf("lazy_mlp", {2, 3}, std::vector<float>(6));
  request.set_model_version("first");
  live_->Infer(request);
  EXPECT_EQ(
      live_->Metric("lazynet_requests_total{model=\"\",version=\"\",code=\"INVALID_ARGUMENT\"}"),
      1);
}

TEST(Startup, SaysWhatIsWrong) {
  config::ServerConfig config;
  config.model_repository = "/no/such/folder";
  EXPECT_EQ(server::Server::Start(config).status().code(), absl::StatusCode::kNotFound);

  TemporaryRepository repository;
  LiveServer first(repository.path());
  config.model_repository = repository.path().string();
  config.metrics_address = config.admin_address = "127.0.0.1:0";
  config.grpc_address = "127.0.0.1:" + std::to_string(first.server().grpc_port());
  const auto second = server::Server::Start(config);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Message(second.status()),
            config.grpc_address + ": cannot listen: Address already in use");
  config.grpc_address = "nowhere";
  EXPECT_EQ(server::Server::Start(config).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Startup, CheckReportsEveryModel) {
  TemporaryRepository repository;
  repository.AddEmbeddedModels();
  config::ServerConfig config;
  config.model_repository = repository.path().string();
  std::string report;
  EXPECT_TRUE(server::CheckRepository(config, report).ok());
  EXPECT_EQ(report, "lazy_mlp 1: lazy\nmnist 1: ready\n");
  repository.Write("broken/network.textproto", "layers {\n  nme: 3\n}");
  report.clear();
  EXPECT_FALSE(server::CheckRepository(config, report).ok());
  EXPECT_THAT(report, HasSubstr("broken 1: network.textproto:2:6: "));
}

}  // namespace
}  // namespace lazynet
