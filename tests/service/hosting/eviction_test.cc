#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "service/hosting/hosted_network.h"
#include "tests/service/hosting/linear_network.h"
#include "tests/service/support/scratch_folder.h"
#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

namespace lazynet::hosting {
namespace {

using ::testing::HasSubstr;
using testing::TestHost;
using testing::Values;
using testing::linear::Answer;
using testing::linear::Definition;
using testing::linear::HashOf;
using testing::linear::Host;
using testing::linear::kParameterBytes;
using testing::linear::kShape;
using testing::linear::Request;
using State = HostedNetwork::State;

TEST(Eviction, WhatComesBackHasTheSameBits) {
  TestHost host;
  const auto network = Host(host, Definition());
  const std::vector<float> answer = Answer(*network);
  const std::string hash = HashOf(*network);
  const size_t used = host.budget.used();
  EXPECT_GE(used, kParameterBytes);
  ASSERT_TRUE(network->EvictParameters());
  EXPECT_EQ(host.budget.used(), 0u);
  EXPECT_EQ(network->state(), State::kEvicted);
  EXPECT_EQ(network->bound(), nullptr);
  EXPECT_EQ(HashOf(*network), hash);
  EXPECT_EQ(Answer(*network), answer);
  EXPECT_EQ(network->state(), State::kReady);
  EXPECT_EQ(HashOf(*network), hash);
  EXPECT_EQ(host.budget.used(), used);
}

// Who waits for the memory would wait for the hash, too.
TEST(Eviction, ComputesNoHash) {
  TestHost host;
  const auto network = Host(host, Definition());
  ASSERT_TRUE(Request(*network).ok());
  EXPECT_FALSE(network->bound()->hash_known());
  ASSERT_TRUE(network->EvictParameters());
  EXPECT_EQ(network->Look().evicted->state.parameter_hash, "");
  ASSERT_TRUE(Request(*network).ok());
  EXPECT_FALSE(network->bound()->hash_known());
  ASSERT_TRUE(network->EvictParameters());
  const std::string hash = HashOf(*network);
  EXPECT_EQ(hash, network->bound()->hash(network->network()));
  ASSERT_TRUE(network->EvictParameters());
  EXPECT_EQ(HashOf(*network), hash);
  EXPECT_EQ(network->state(), State::kEvicted);
}

TEST(Eviction, WhatIsAllInMappedFilesStays) {
  testing::ScratchFolder folder;
  const auto state = *StateDirectory::Open(folder.path());
  TestHost host;
  HostedDefinition definition = Definition();
  ASSERT_TRUE(state
                  ->SaveCheckpoint("all",
                                   {{"fc.weight", Values({31, 32}, std::vector<float>(31 * 32, 1))},
                                    {"fc.bias", Values({31}, std::vector<float>(31, 2))}},
                                   false)
                  .ok());
  definition.checkpoint = *state->LoadCheckpoint("all");
  const auto network = Host(host, std::move(definition));
  ASSERT_EQ(network->state(), State::kReady);
  EXPECT_FALSE(network->EvictParameters());
  EXPECT_FALSE(network->bound()->hash_known());
}

TEST(Eviction, AnEvictedNetworkIsStillBound) {
  TestHost host;
  const auto network = Host(host, Definition({.policy = BindingPolicy::kByAdmin}));
  ASSERT_TRUE(network->Initialize({&kShape, 1}).ok());
  ASSERT_TRUE(network->EvictParameters());
  ASSERT_NE(network->Look().binding(), nullptr);
  EXPECT_EQ(network->Look().binding()->source, Binding::Source::kAdmin);
  const Shape wrong{2, 33};
  EXPECT_THAT(std::string(Message(network->Check({&wrong, 1}))),
              HasSubstr("wants in_features 32, got 33 (bound by InitializeParameters"));
  EXPECT_FALSE(Request(*network, wrong).ok());
  EXPECT_EQ(network->state(), State::kEvicted) << "a wrong request needs no parameters";
  const Forecast forecast = network->Foresee({&kShape, 1});
  EXPECT_TRUE(forecast.created.empty());
  EXPECT_EQ(forecast.parameter_bytes, kParameterBytes);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(network->parameters()->initialized(network->network(), 0, i));
  }
  EXPECT_TRUE(Request(*network, Shape{5, 32}).ok());
}

TEST(Eviction, ADryLoadNeedsNoValues) {
  TestHost host;
  const auto network = Host(host, Definition());
  ASSERT_TRUE(Request(*network).ok());
  ASSERT_TRUE(network->EvictParameters());
  nn::LoadReport report;
  const auto load = [&](const nn::StateDict& values) {
    return network->Load(values, {.allow_missing = true}, true, report);
  };
  EXPECT_TRUE(load({{"fc.bias", Values({31}, std::vector<float>(31))}}).ok());
  EXPECT_TRUE(report.missing.empty()) << "evicted ones have values";
  EXPECT_FALSE(load({{"fc.weight", Values({31, 33}, std::vector<float>(31 * 33))}}).ok());
  EXPECT_FALSE(load({{"fc.weight", std::nullopt}}).ok());
  EXPECT_EQ(network->state(), State::kEvicted);
}

TEST(Eviction, WhoAsksForTheValuesBringsThemBack) {
  TestHost host;
  const auto network = Host(host, Definition());
  ASSERT_TRUE(Request(*network).ok());
  const float first = network->parameters()->value(0, 0)->tensor.values<float>()[0];
  ASSERT_TRUE(network->EvictParameters());
  const auto set = network->ParametersWithValues();
  ASSERT_TRUE(set.ok());
  ASSERT_TRUE((*set)->complete());
  EXPECT_EQ((*set)->value(0, 0)->tensor.values<float>()[0], first);
}

TEST(Eviction, WhatARequestUsesStaysAndCounts) {
  TestHost host;
  const auto network = Host(host, Definition());
  auto running = network->Prepare({&kShape, 1});
  ASSERT_TRUE(running.ok());
  EXPECT_EQ(network->EvictableBytes(), 0u);
  EXPECT_FALSE(network->EvictPlan());
  EXPECT_FALSE(network->EvictParameters());
  ASSERT_TRUE(network->Reset().ok());
  EXPECT_GE(host.budget.used(), kParameterBytes) << "the request still has it";
  running = absl::CancelledError();
  EXPECT_EQ(host.budget.used(), 0u);
}

TEST(Eviction, MakesRoomForOthersAndRefusesWhatDoesNotFit) {
  TestHost host(2 * kParameterBytes);
  const auto first = Host(host, Definition());
  const auto second = Host(host, Definition());
  const auto third = Host(host, Definition());
  ASSERT_TRUE(Request(*first).ok());
  ASSERT_TRUE(Request(*second).ok());
  ASSERT_TRUE(Request(*third).ok());
  EXPECT_EQ(first->state(), State::kEvicted);
  EXPECT_EQ(third->state(), State::kReady);
  EXPECT_LE(host.budget.used(), host.budget.limit());
  const absl::Status refused = Request(*Host(host, Definition()), Shape{1, 320});
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(Message(refused)),
              HasSubstr("wants 39804 bytes of parameters, and of the memory budget of 8184 bytes"));
  EXPECT_EQ(third->state(), State::kReady) << "nothing is evicted in vain";
}

TEST(Eviction, PinnedNetworksStay) {
  TestHost host(3 * kParameterBytes);
  const auto pinned = Host(host, Definition({.pinned = true}));
  const auto other = Host(host, Definition());
  const auto third = Host(host, Definition());
  ASSERT_TRUE(Request(*pinned).ok());
  for (int round = 0; round < 3; ++round) {
    for (const auto& network : {other, third}) {
      const absl::Status status = Request(*network);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(pinned->state(), State::kReady);
      EXPECT_EQ(pinned->bound()->plans.size(), 1u);
    }
  }
}

TEST(Eviction, LoadedValuesStayWhereNothingRemembersThem) {
  TestHost host(2 * kParameterBytes);
  const auto loaded = Host(host, Definition());
  nn::LoadReport report;
  ASSERT_TRUE(loaded
                  ->Load({{"fc.weight", Values({31, 32}, std::vector<float>(31 * 32, 0.5f))}},
                         {.allow_missing = true}, false, report)
                  .ok());
  ASSERT_EQ(loaded->state(), State::kReady);
  EXPECT_FALSE(loaded->EvictParameters());
  const auto other = Host(host, Definition());
  EXPECT_EQ(Request(*other, Shape{1, 64}).code(), absl::StatusCode::kResourceExhausted);
}

TEST(Eviction, ACheckpointStaysAndOnlyTheRestIsDrawnAgain) {
  TestHost host;
  HostedDefinition definition = Definition();
  definition.checkpoint = {{"fc.bias", Values({31}, std::vector<float>(31, 2))}};
  const auto network = Host(host, std::move(definition));
  const size_t base = host.budget.used();
  EXPECT_EQ(base, 31 * 4u);
  const std::vector<float> answer = Answer(*network);
  ASSERT_TRUE(network->EvictParameters());
  EXPECT_EQ(host.budget.used(), base);
  EXPECT_EQ(network->parameters()->value(0, 1)->origin, nn::Origin::kCheckpoint);
  EXPECT_EQ(Answer(*network), answer);
}

// What a network draws takes the place of the room that was made for it, and nobody comes between.
TEST(Eviction, ThreadsThatMaterializeStayWithinTheBudget) {
  TestHost host(2 * kParameterBytes);
  std::atomic<size_t> peak = 0;
  host.on_memory = [&](int64_t) {
    const size_t used = host.budget.used();
    size_t before = peak;
    while (used > before && !peak.compare_exchange_weak(before, used)) {
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      const ServingOptions at_load{.policy = BindingPolicy::kAtLoad, .bind_shapes = {kShape}};
      std::vector<std::shared_ptr<HostedNetwork>> networks;
      for (int i = 0; i < 200; ++i) {
        auto network = HostedNetwork::Create(Definition(at_load), host.environment);
        if (network.ok()) networks.push_back(*std::move(network));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(peak, kParameterBytes);
  EXPECT_LE(peak, host.budget.limit());
}

TEST(Eviction, APassOverColdNetworksLeavesThoseInUse) {
  TestHost host(12 * kParameterBytes);
  std::vector<std::shared_ptr<HostedNetwork>> hot;
  for (int i = 0; i < 4; ++i) hot.push_back(Host(host, Definition()));
  for (int round = 0; round < 3; ++round) {
    for (const auto& network : hot) Answer(*network);
  }
  std::vector<std::shared_ptr<HostedNetwork>> cold;
  for (size_t i = 0; i < 100; ++i) {
    cold.push_back(Host(host, Definition()));
    Answer(*cold.back());
    Answer(*hot[i % hot.size()]);
    ASSERT_LE(host.budget.used(), host.budget.limit());
  }
  for (const auto& network : hot) {
    EXPECT_EQ(network->state(), State::kReady);
    EXPECT_EQ(network->bound()->plans.size(), 1u);
  }
}

// 1,000 networks under a budget for 100, asked for by several threads after Zipf's law.
TEST(Eviction, AnswersStayRightUnderAZipfLoad) {
  constexpr size_t kNetworks = 1000;
  constexpr size_t kThreads = 4;
  TestHost host(100 * (kParameterBytes + 8192));
  std::vector<std::shared_ptr<HostedNetwork>> networks;
  std::vector<std::vector<float>> answers;
  for (size_t i = 0; i < kNetworks; ++i) {
    networks.push_back(Host(host, Definition({}, static_cast<int64_t>(i))));
    answers.push_back(Answer(*networks.back()));
    ASSERT_LE(host.budget.used(), host.budget.limit());
  }
  std::vector<double> weights;
  for (size_t i = 0; i < kNetworks; ++i) weights.push_back(1 / static_cast<double>(i + 1));
  std::atomic<size_t> wrong = 0, over = 0;
  std::vector<std::thread> clients;
  for (size_t t = 0; t < kThreads; ++t) {
    clients.emplace_back([&, t] {
      std::mt19937 generator(static_cast<unsigned>(t));
      std::discrete_distribution<size_t> zipf(weights.begin(), weights.end());
      for (int request = 0; request < 1000; ++request) {
        const size_t i = zipf(generator);
        if (Answer(*networks[i]) != answers[i]) ++wrong;
        // A plan counts when it is made, before it is admitted.
        if (host.budget.used() > host.budget.limit() + kThreads * 8192) ++over;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(over, 0u);
  size_t evicted = 0;
  for (const auto& network : networks) evicted += network->state() == State::kEvicted ? 1 : 0;
  EXPECT_GT(evicted, kNetworks / 2);
  // The most popular are there when the load is over.
  EXPECT_EQ(networks[0]->state(), State::kReady);
  EXPECT_EQ(networks[1]->state(), State::kReady);
}

}  // namespace
}  // namespace lazynet::hosting
