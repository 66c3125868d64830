#include "service/hosting/hosted_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/service/hosting/mlp_network.h"
#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

namespace lazynet::hosting {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using ::testing::HasSubstr;
using testing::LayerOf;
using testing::LazyMlp;
using testing::TestHost;
using testing::Values;
using testing::mlp::Definition;
using testing::mlp::HashOf;
using testing::mlp::Host;
using testing::mlp::Load;
using testing::mlp::Request;
using State = HostedNetwork::State;

nn::StateDict StateDictOf(const HostedNetwork& network) {
  nn::StateDict values;
  const auto set = network.parameters();
  for (size_t node = 0; node < network.network().nodes().size(); ++node) {
    const nn::Node& owner = network.network().nodes()[node];
    for (size_t i = 0; i < owner.parameters().size(); ++i) {
      const auto& value = set->value(static_cast<int>(node), static_cast<int>(i));
      values.emplace_back(owner.ParameterName(static_cast<int>(i)),
                          value ? std::optional(value->tensor) : std::nullopt);
    }
  }
  return values;
}

TEST(HostedNetwork, ABadFirstRequestBindsNothing) {
  TestHost host;
  const auto network = Host(host, Definition());
  EXPECT_FALSE(Request(*network, Shape{}).ok());
  EXPECT_EQ(network->state(), State::kLazy);
  EXPECT_EQ(network->bound(), nullptr);
  EXPECT_EQ(host.budget.used(), 0u);
}

TEST(HostedNetwork, ByAdminRefusesRequestsUntilItIsBound) {
  TestHost host;
  const auto network = Host(host, Definition(LazyMlp(), {.policy = BindingPolicy::kByAdmin}));
  const Shape shape{2, 3};
  EXPECT_EQ(Request(*network, shape).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(network->state(), State::kLazy);
  ASSERT_TRUE(network->Initialize({&shape, 1}).ok());
  EXPECT_EQ(network->bound()->binding.source, Binding::Source::kAdmin);
  EXPECT_TRUE(Request(*network, Shape{7, 3}).ok());
  EXPECT_THAT(
      std::string(Message(Request(*network, Shape{7, 4}))),
      HasSubstr("wants in_features 3, got 4 (bound by InitializeParameters, input [2, 3],"));
}

TEST(HostedNetwork, AtLoadBindsWhenItIsLoaded) {
  TestHost host;
  const auto network =
      Host(host,
           Definition(LazyMlp(), {.policy = BindingPolicy::kAtLoad, .bind_shapes = {Shape{1, 5}}}));
  EXPECT_EQ(network->state(), State::kReady);
  EXPECT_EQ(network->bound()->binding.source, Binding::Source::kAtLoad);
  EXPECT_TRUE(Request(*network, Shape{3, 5}).ok());
  EXPECT_FALSE(Request(*network, Shape{3, 6}).ok());
}

TEST(HostedNetwork, InputLimitsGuardTheFirstRequest) {
  TestHost host;
  const auto network =
      Host(host, Definition(LazyMlp(), {.limits = {{.dims = {{1, 8}, {1, 100}}}}}));
  EXPECT_EQ(Request(*network, Shape{1, 101}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(network->state(), State::kLazy);
  EXPECT_TRUE(Request(*network, Shape{1, 100}).ok());
}

TEST(HostedNetwork, TheProcessHasABudgetForItsNetworks) {
  TestHost host(1000);
  const auto network = Host(host, Definition());
  const absl::Status refused = Request(*network, Shape{1, 30});
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Message(refused),
            "wants 1284 bytes of parameters, and of the memory budget of 1000 bytes 1000 are free "
            "and 0 can be made free");
  EXPECT_EQ(network->state(), State::kLazy);
  const Shape shape{1, 30};
  EXPECT_EQ(network->Foresee({&shape, 1}).errors, std::vector{refused});
  EXPECT_EQ(host.budget.used(), 0u);
}

TEST(HostedNetwork, ForeseesWithoutDoing) {
  TestHost host;
  const auto network = Host(host, Definition());
  const Shape shape{2, 10};
  const Forecast forecast = network->Foresee({&shape, 1});
  EXPECT_TRUE(forecast.errors.empty());
  EXPECT_EQ(forecast.created.size(), 4u);
  EXPECT_EQ(forecast.created_bytes, 484u);
  EXPECT_EQ(forecast.outputs, (std::vector<Shape>{Shape{2, 1}}));
  EXPECT_EQ(network->state(), State::kLazy);
  ASSERT_TRUE(Request(*network, shape).ok());
  EXPECT_TRUE(network->Foresee({&shape, 1}).created.empty());
}

TEST(HostedNetwork, ForeseesEveryErrorAtOnce) {
  TestHost host;
  const auto network = Host(
      host, Definition(DefinitionOf(
                {LayerOf("a", "Linear", {Arg("out_features", 2)}, {"input"}),
                 LayerOf("b", "Conv2d",
                         {Arg("out_channels", 2), testing::PerAxis("kernel_size", {3})}, {"input"}),
                 LayerOf("c", "BatchNorm2d", {}, {"input"})})));
  const Shape shape{3, 2, 2};
  const Forecast forecast = network->Foresee({&shape, 1});
  ASSERT_EQ(forecast.errors.size(), 2u);
  EXPECT_THAT(std::string(Message(forecast.errors[0])), HasSubstr("layer \"b\" (Conv2d)"));
  EXPECT_THAT(std::string(Message(forecast.errors[1])), HasSubstr("layer \"c\" (BatchNorm2d)"));
}

TEST(HostedNetwork, ACompleteStateDictMakesItReadyWithoutARequest) {
  TestHost host;
  const auto donor = Host(host, Definition());
  ASSERT_TRUE(Request(*donor, Shape{1, 6}).ok());
  const auto network = Host(host, Definition());
  ASSERT_TRUE(Load(*network, StateDictOf(*donor), true).ok());
  EXPECT_EQ(network->state(), State::kReady);
  EXPECT_EQ(network->bound()->binding.source, Binding::Source::kClient);
  EXPECT_EQ(HashOf(*network), HashOf(*donor));
  EXPECT_THAT(std::string(Message(Request(*network, Shape{1, 7}))),
              HasSubstr("wants in_features 6, got 7 (bound by a client's state dict at "));
}

TEST(HostedNetwork, APartialStateDictConstrainsTheFirstRequest) {
  TestHost host;
  const auto network = Host(host, Definition());
  ASSERT_TRUE(Load(*network, {{"fc1.weight", Values({10, 3}, std::vector<float>(30, 1))}}).ok());
  // Now every size is known: fc2 reads fc1's 10 features.
  EXPECT_EQ(network->state(), State::kReady);
  const auto other = Host(host, Definition());
  ASSERT_TRUE(Load(*other, {{"fc2.bias", Values({1}, {1})}}).ok());
  EXPECT_EQ(other->state(), State::kLazy);
  ASSERT_TRUE(Request(*other, Shape{1, 3}).ok());
  EXPECT_EQ(other->bound()->parameters.value(2, 1)->tensor.values<float>()[0], 1);
}

TEST(HostedNetwork, AWrongStateDictChangesNothing) {
  TestHost host;
  const auto network = Host(host, Definition());
  const absl::Status wrong =
      Load(*network, {{"fc1.bias", Values({10}, std::vector<float>(10))},
                      {"fc2.weight", Values({1, 11}, std::vector<float>(11))}});
  EXPECT_EQ(wrong.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(network->parameters()->value(0, 1).has_value());
  EXPECT_EQ(Load(*network, {{"fc3.bias", Values({1}, {1})}}, true).code(),
            absl::StatusCode::kInvalidArgument);
  nn::LoadReport report;
  EXPECT_TRUE(network
                  ->Load({{"fc3.bias", Values({1}, {1})}},
                         {.allow_missing = true, .allow_unexpected = true}, false, report)
                  .ok());
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"fc3.bias"}));
  EXPECT_EQ(report.missing.size(), 4u);
}

TEST(HostedNetwork, ResetGoesBackAndRunningRequestsKeepWhatTheyHave) {
  TestHost host;
  const auto network = Host(host, Definition());
  const Shape shape{1, 6};
  const auto running = network->Prepare({&shape, 1});
  ASSERT_TRUE(running.ok());
  const std::string hash = HashOf(*network);
  ASSERT_TRUE(network->Reset().ok());
  EXPECT_EQ(network->state(), State::kLazy);
  EXPECT_TRUE(running->bound->parameters.complete());
  ASSERT_TRUE(Request(*network, Shape{1, 9}).ok());
  EXPECT_NE(HashOf(*network), hash);
  ASSERT_TRUE(network->Reset().ok());
  ASSERT_TRUE(Request(*network, Shape{1, 6}).ok());
  EXPECT_EQ(HashOf(*network), hash);
}

// Requests that come meanwhile wait for no memory to be freed.
TEST(HostedNetwork, ItAnswersWhileItsParametersAreDestroyed) {
  TestHost host;
  const auto network = Host(host, Definition());
  ASSERT_TRUE(Request(*network, Shape{1, 6}).ok());
  std::vector<std::future<State>> answers;
  bool waits = false;
  host.on_memory = [&](int64_t) {
    answers.push_back(std::async(std::launch::async, [&] { return network->state(); }));
    waits |= answers.back().wait_for(std::chrono::seconds(10)) != std::future_status::ready;
  };
  ASSERT_TRUE(network->Reset().ok());
  host.on_memory = nullptr;
  EXPECT_FALSE(answers.empty());
  EXPECT_FALSE(waits);
}

TEST(HostedNetwork, RacingFirstRequestsOfTwoSizesBindOnce) {
  TestHost host;
  const auto network = Host(host, Definition());
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back([&, i] {
      const absl::Status status = Request(*network, Shape{1, 3 + i % 2});
      if (status.ok()) {
        ++good;
      } else {
        EXPECT_THAT(std::string(Message(status)), HasSubstr("bound by the first request"));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 16);
}

}  // namespace
}  // namespace lazynet::hosting
