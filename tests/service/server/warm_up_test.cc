#include <gtest/gtest.h>

#include <string>

#include "tests/service/support/live_server.h"

namespace lazynet::testing {
namespace {

constexpr const char* kMlp = R"(
    layers { name: "fc1" linear { out_features: 10 } }
    layers { name: "fc2" linear { out_features: 1 } })";

class WarmUpTest : public ::testing::Test {
 protected:
  void Start(config::ServerConfig config = {}) {
    live_.reset();
    config.state_dir = state_.path().string();
    live_ = std::make_unique<LiveServer>(repository_.path(), config);
    WaitUntilReady();
  }

  void WaitUntilReady() {
    grpc::health::v1::HealthCheckRequest request;
    grpc::ClientContext context;
    auto reader = live_->health().Watch(&context, request);
    grpc::health::v1::HealthCheckResponse response;
    do {
      ASSERT_TRUE(reader->Read(&response));
    } while (response.status() != grpc::health::v1::HealthCheckResponse::SERVING);
    context.TryCancel();
    reader->Finish().IgnoreError();
  }

  grpc::Status Infer(const std::string& model, int64_t batch, int64_t features) {
    return live_
        ->Infer(model, {batch, features},
                std::vector<float>(static_cast<size_t>(batch * features), 1))
        .status;
  }
  double Count(const std::string& name, const std::string& model) {
    return live_->Metric("lazynet_plan_cache_" + name + "{model=\"" + model + "\",version=\"1\"}");
  }

  ScratchFolder state_;
  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(WarmUpTest, ListedShapesAreHitsAndBindALazyNetwork) {
  repository_.Write("mlp/network.textproto", kMlp);
  repository_.Write("mlp/serving.textproto", R"(
      warm_up { inputs { name: "input" shape: [4, 7] } }
      warm_up { inputs { name: "input" shape: [4, 8] } }
      warm_up { inputs { name: "input" shape: [1, 7] } })");
  Start();
  const auto described = live_->Describe("mlp");
  EXPECT_EQ(described.state(), v1::NETWORK_STATE_READY);
  EXPECT_EQ(described.binding().source(), "warm_up");
  // The second one does not fit what the first one bound; it is left out.
  EXPECT_EQ(Count("entries", "mlp"), 2);
  ASSERT_TRUE(Infer("mlp", 4, 7).ok());
  ASSERT_TRUE(Infer("mlp", 1, 7).ok());
  EXPECT_EQ(Count("hits_total", "mlp"), 2);
  EXPECT_EQ(Count("misses_total", "mlp"), 0);
}

TEST_F(WarmUpTest, ShapesOfRequestsAreHitsAfterARestart) {
  for (const char* model : {"a", "b", "unused"}) {
    repository_.Write(std::string(model) + "/network.textproto", kMlp);
  }
  Start();
  for (const int64_t batch : {1, 2, 3}) ASSERT_TRUE(Infer("a", batch, 5).ok());
  ASSERT_TRUE(Infer("b", 1, 6).ok());
  Start();
  for (const int64_t batch : {3, 2, 1}) ASSERT_TRUE(Infer("a", batch, 5).ok());
  ASSERT_TRUE(Infer("b", 1, 6).ok());
  EXPECT_EQ(Count("hits_total", "a"), 3);
  EXPECT_EQ(Count("misses_total", "a"), 0);
  EXPECT_EQ(Count("hits_total", "b"), 1);
  EXPECT_EQ(live_->Describe("unused").state(), v1::NETWORK_STATE_LAZY);
  ASSERT_TRUE(Infer("a", 4, 5).ok());
  EXPECT_EQ(Count("misses_total", "a"), 1);
}

TEST_F(WarmUpTest, WithoutTimeThereIsNone) {
  repository_.Write("mlp/network.textproto", kMlp);
  Start();
  ASSERT_TRUE(Infer("mlp", 1, 5).ok());
  Start({.warm_up_timeout_seconds = 0});
  ASSERT_TRUE(Infer("mlp", 1, 5).ok());
  EXPECT_EQ(Count("misses_total", "mlp"), 1);
}

TEST_F(WarmUpTest, AShapeThatCannotBeMadeDoesNotStopTheServer) {
  repository_.Write("bad/network.textproto", kMlp);
  repository_.Write("bad/serving.textproto", R"(
      binding_policy: BY_ADMIN warm_up { inputs { name: "input" shape: [1, 5] } })");
  repository_.Write("mlp/network.textproto", kMlp);
  repository_.Write("mlp/serving.textproto",
                    R"(warm_up { inputs { name: "input" shape: [1, 5] } })");
  state_.Write("networks/mlp/1/shapes.json", "{ not JSON");
  Start();
  EXPECT_EQ(live_->Describe("bad").state(), v1::NETWORK_STATE_LAZY);
  ASSERT_TRUE(Infer("mlp", 1, 5).ok());
  EXPECT_EQ(Count("hits_total", "mlp"), 1);
}

}  // namespace
}  // namespace lazynet::testing
