#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using testing::LiveServer;
using testing::RequestOf;
using testing::TemporaryRepository;

// What the server tells of a request that asks with lazynet_timing.
class Timing : public ::testing::Test {
 protected:
  Timing() {
    repository_.Write("mlp/network.textproto",
                      "layers { name: \"fc\" linear { out_features: 2 } }");
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  testing::InferAnswer Ask(int rows) {
    auto request = RequestOf("mlp", {rows, 3}, std::vector<float>(static_cast<size_t>(rows) * 3));
    (*request.mutable_parameters())["lazynet_timing"].set_bool_param(true);
    return live_->Infer(request);
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(Timing, SaysWhatWaitedForParametersOrAPlan) {
  EXPECT_TRUE(Ask(1).response.parameters().at("lazynet_cold").bool_param());
  const auto warm = Ask(1);
  ASSERT_TRUE(warm.status.ok());
  EXPECT_FALSE(warm.response.parameters().at("lazynet_cold").bool_param());
  EXPECT_GE(warm.response.parameters().at("lazynet_queue_us").int64_param(), 0);
  EXPECT_GE(warm.response.parameters().at("lazynet_compute_us").int64_param(), 0);
  EXPECT_EQ(warm.floats().size(), 2u);
}

TEST_F(Timing, IsToldToWhoAsksOnly) {
  EXPECT_TRUE(live_->Infer("mlp", {1, 3}, {1, 2, 3}).response.parameters().empty());
  auto request = RequestOf("mlp", {1, 3}, {1, 2, 3});
  (*request.mutable_parameters())["lazynet_timing"].set_bool_param(false);
  EXPECT_TRUE(live_->Infer(request).response.parameters().empty());
}

TEST_F(Timing, WantsABool) {
  auto request = RequestOf("mlp", {1, 3}, {1, 2, 3});
  (*request.mutable_parameters())["lazynet_timing"].set_int64_param(1);
  const auto answer = live_->Infer(request);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(answer.status.error_message(), "parameter \"lazynet_timing\": wants a bool");
}

}  // namespace
}  // namespace lazynet
