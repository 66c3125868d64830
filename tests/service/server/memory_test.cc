#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <string>

#include "service/server/heap.h"
#include "tests/service/support/live_server.h"
#include "tests/service/support/process_resources.h"

namespace lazynet::testing {
namespace {

using ::testing::HasSubstr;

constexpr size_t kMegabyte = size_t{1} << 20;

// Of the process, in bytes: what it wrote to and no file holds.
size_t AnonymousBytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string word; file >> word;) {
    size_t kilobytes = 0;
    if (word == "Anonymous:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

std::string LinearOf(int out_features) {
  return fmt::format("layers {{ name: \"fc\" linear {{ out_features: {} }} }}", out_features);
}

std::string Numbered(const char* name, int number) { return fmt::format("{}{}", name, number); }

std::vector<float> Ramp(size_t size) {
  std::vector<float> values(size);
  std::iota(values.begin(), values.end(), 0.f);
  for (float& value : values) value /= static_cast<float>(size);
  return values;
}

class MemoryTest : public ::testing::Test {
 protected:
  void Start(config::ServerConfig config) {
    live_ = std::make_unique<LiveServer>(repository_.path(), std::move(config));
  }
  double Metric(const std::string& name) { return live_->Metric("lazynet_" + name); }
  double Evictions(const std::string& model, const std::string& what) {
    return Metric("evictions_total{model=\"" + model + "\",version=\"1\",what=\"" + what + "\"}");
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

// Each small network takes 4 MB of parameters and as much of packed weights, the large one ten
// times that: room for about ten of the small ones, or for the large one alone.
TEST_F(MemoryTest, WhatIsEvictedGoesBackToTheSystem) {
  if (testing::kKeepsFreedMemory) GTEST_SKIP() << "sanitizers keep what is freed";
  server::TuneHeap();
  constexpr int kNetworks = 24;
  constexpr int64_t kInputs = 2048;
  for (int i = 0; i < kNetworks; ++i) {
    repository_.Write(Numbered("m", i) + "/network.textproto", LinearOf(512));
  }
  repository_.Write("first/network.textproto", LinearOf(16));
  repository_.Write("large/network.textproto", LinearOf(5120));
  Start({.memory_budget = 96 * kMegabyte});
  const std::vector<float> input = Ramp(kInputs);
  ASSERT_TRUE(live_->Infer("first", {1, kInputs}, input).status.ok());
  const size_t anonymous_before = AnonymousBytes();
  const double used_before = Metric("memory_used_bytes");
  if (anonymous_before == 0) GTEST_SKIP() << "the system does not tell";

  std::vector<std::vector<float>> answers;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kNetworks; ++i) {
      const InferAnswer answer = live_->Infer(Numbered("m", i), {1, kInputs}, input);
      ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
      if (round == 0) {
        answers.push_back(answer.floats());
      } else {
        EXPECT_EQ(answer.floats(), answers[static_cast<size_t>(i)]) << i;
      }
      // A plan counts when it is made, before it is admitted.
      EXPECT_LE(Metric("memory_used_bytes"), Metric("memory_budget_bytes") + 65536);
    }
  }
  EXPECT_GT(Metric("memory_used_bytes"), 60.0 * kMegabyte);
  EXPECT_GE(Evictions("m0", "parameters"), 1);
  EXPECT_GE(Evictions("m0", "packed_weights"), 1);
  EXPECT_GE(Evictions("m0", "plan"), 1);

  ASSERT_TRUE(live_->Infer("large", {1, kInputs}, input).status.ok());
  const double used = Metric("memory_used_bytes") - used_before;
  const double anonymous =
      static_cast<double>(AnonymousBytes()) - static_cast<double>(anonymous_before);
  EXPECT_LT(anonymous, used + 40.0 * kMegabyte);
}

TEST_F(MemoryTest, AnEvictedNetworkTellsThatItIs) {
  repository_.Write("a/network.textproto", LinearOf(100));
  for (int i = 0; i < 10; ++i) {
    repository_.Write(Numbered("b", i) + "/network.textproto", LinearOf(100));
  }
  repository_.Write("c/network.textproto", LinearOf(2000));
  Start({.memory_budget = 400'000});
  const InferAnswer first = live_->Infer("a", {1, 200}, Ramp(200));
  ASSERT_TRUE(first.status.ok()) << first.status.error_message();
  const auto before = live_->Describe("a");
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(live_->Infer(Numbered("b", i), {1, 200}, Ramp(200)).status.ok()) << i;
  }
  const auto evicted = live_->Describe("a");
  EXPECT_EQ(evicted.state(), v1::NETWORK_STATE_EVICTED);
  EXPECT_EQ(evicted.parameter_hash(), before.parameter_hash());
  EXPECT_EQ(evicted.repr(), before.repr());
  EXPECT_EQ(evicted.binding().inputs(0).shape(1), 200);
  EXPECT_FALSE(evicted.has_uninitialized_params());
  EXPECT_EQ(Metric("network_state{model=\"a\",version=\"1\",state=\"evicted\"}"), 1);
  // It can take requests, of the shapes that it is bound to.
  inference::ModelReadyRequest request;
  request.set_name("a");
  inference::ModelReadyResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(live_->inference().ModelReady(&context, request, &response).ok());
  EXPECT_TRUE(response.ready());
  EXPECT_EQ(live_->Infer("a", {1, 7}, Ramp(7)).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(live_->Describe("a").state(), v1::NETWORK_STATE_EVICTED);
  EXPECT_EQ(live_->Infer("a", {1, 200}, Ramp(200)).floats(), first.floats());
  EXPECT_EQ(live_->Describe("a").state(), v1::NETWORK_STATE_READY);
  EXPECT_EQ(Metric("materializations_total{model=\"a\",version=\"1\",source=\"evicted\","
                   "outcome=\"success\"}"),
            1);
  const InferAnswer refused = live_->Infer("c", {1, 200}, Ramp(200));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.status.error_message(),
              HasSubstr("wants 1608000 bytes of parameters, and of the memory budget of 400000"));
  EXPECT_EQ(live_->Describe("c").state(), v1::NETWORK_STATE_LAZY);
}

}  // namespace
}  // namespace lazynet::testing
