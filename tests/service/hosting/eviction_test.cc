#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "service/hosting/hosted_network.h"
#include "tests/service/support/scratch_folder.h"
#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

namespace lazynet::hosting {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using ::testing::HasSubstr;
using testing::LayerOf;
using testing::NetworkOf;
using testing::TestHost;
using testing::Values;
using State = HostedNetwork::State;

// 4 KB of parameters when it is bound to 32 features.
nn::NetworkDefinition Linear(int64_t seed = 0) {
  auto definition = DefinitionOf({LayerOf("fc", "Linear", {Arg("out_features", 31)})});
  definition.seed = seed;
  return definition;
}
constexpr size_t kParameterBytes = 4 * (31 * 32 + 31);
const Shape kShape{2, 32};

HostedDefinition Definition(ServingOptions serving = {}, int64_t seed = 0) {
  return {.network = NetworkOf(Linear(seed)),
          .fingerprint = "fingerprint",
          .serving = std::move(serving)};
}

std::shared_ptr<HostedNetwork> Host(const TestHost& host, HostedDefinition definition) {
  auto hosted = HostedNetwork::Create(std::move(definition), host.environment);
  LAZYNET_CHECK(hosted.ok());
  return *std::move(hosted);
}

absl::Status Request(HostedNetwork& network, const Shape& shape = kShape) {
  return network.Prepare({&shape, 1}).status();
}

// As a server does it: what is there is found.
std::vector<float> Answer(HostedNetwork& network, const Shape& shape = kShape) {
  auto found = network.Find({&shape, 1});
  if (!found) {
    auto prepared = network.Prepare({&shape, 1});
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    if (!prepared.ok()) return {};
    found = *std::move(prepared);
  }
  std::vector<float> ones(static_cast<size_t>(shape.num_elements()), 1);
  const Tensor input = Values(shape, ones);
  std::vector<Tensor> outputs = *found->plan->AllocateOutputs();
  const TensorView in = input.view();
  const MutableTensorView out = outputs[0].mutable_view();
  plan::Workspace workspace;
  EXPECT_TRUE(found->plan->Run({&in, 1}, {&out, 1}, workspace).ok());
  const auto values = outputs[0].values<float>();
  return {values.begin(), values.end()};
}

std::string HashOf(HostedNetwork& network) {
  auto hash = network.ParameterHash();
  return hash.ok() ? *hash : std::string(Message(hash.status()));
}

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

TEST(Eviction, LoadedValuesComeBackFromTheStateDirectory) {
  testing::ScratchFolder folder;
  const auto state = *StateDirectory::Open(folder.path());
  TestHost host(size_t{1} << 30, state.get());
  const auto network = Host(host, Definition());
  ASSERT_TRUE(Request(*network).ok());
  nn::LoadReport report;
  ASSERT_TRUE(network
                  ->Load({{"fc.bias", Values({31}, std::vector<float>(31, 0.5f))}},
                         {.allow_missing = true}, false, report)
                  .ok());
  const std::vector<float> answer = Answer(*network);
  const std::string hash = HashOf(*network);
  ASSERT_TRUE(network->EvictParameters());
  EXPECT_EQ(host.budget.used(), 0u);
  // What another server writes meanwhile is for its own restarts.
  ASSERT_TRUE(state->Forget("net", 1).ok());
  EXPECT_EQ(Answer(*network), answer);
  EXPECT_EQ(HashOf(*network), hash);
}

// Whoever takes room while a network is restored gets none of it: it would start without its state.
TEST(Eviction, ValuesThatWereLoadedBeforeTheBindingGo) {
  testing::ScratchFolder folder;
  const auto state = *StateDirectory::Open(folder.path());
  TestHost host(size_t{1} << 30, state.get());
  const auto network = Host(host, Definition());
  nn::LoadReport report;
  ASSERT_TRUE(network
                  ->Load({{"fc.bias", Values({31}, std::vector<float>(31, 0.5f))}},
                         {.allow_missing = true}, false, report)
                  .ok());
  EXPECT_EQ(host.budget.used(), 31 * 4u);
  const std::vector<float> answer = Answer(*network);
  ASSERT_TRUE(network->EvictParameters());
  EXPECT_EQ(host.budget.used(), 0u);
  EXPECT_EQ(Answer(*network), answer);
}

TEST(Eviction, ANetworkThatIsRestoredStaysUntilItIsThere) {
  testing::ScratchFolder folder;
  const auto state = *StateDirectory::Open(folder.path());
  const ServingOptions at_load{.policy = BindingPolicy::kAtLoad, .bind_shapes = {kShape}};
  std::string hash;
  {
    TestHost host(size_t{1} << 30, state.get());
    const auto network = Host(host, Definition(at_load));
    nn::LoadReport report;
    ASSERT_TRUE(network
                    ->Load({{"fc.bias", Values({31}, std::vector<float>(31, 0.5f))}},
                           {.allow_missing = true}, false, report)
                    .ok());
    hash = HashOf(*network);
  }
  TestHost host(3 * kParameterBytes, state.get());
  std::atomic<bool> done = false;
  std::thread other([&] {
    while (!done) host.budget.Admit(3 * kParameterBytes, "all", nullptr).IgnoreError();
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(HashOf(*Host(host, Definition(at_load))), hash);
  done = true;
  other.join();
}

class RestoredNetworks : public ::testing::Test {
 protected:
  static HostedDefinition Named(int i) {
    nn::NetworkDefinition definition = Linear(i);
    definition.name = "network-" + std::to_string(i);
    return {.network = NetworkOf(std::move(definition)), .fingerprint = "fingerprint"};
  }

  // By an earlier run, with all the memory it wants: answers and hashes.
  void Save(int count) {
    TestHost host(size_t{1} << 30, state_.get());
    for (int i = 0; i < count; ++i) {
      const auto network = Host(host, Named(i));
      answers_.push_back(Answer(*network));
      hashes_.push_back(HashOf(*network));
    }
  }

  testing::ScratchFolder folder_;
  const std::unique_ptr<StateDirectory> state_ = *StateDirectory::Open(folder_.path());
  std::vector<std::vector<float>> answers_;
  std::vector<std::string> hashes_;
};

TEST_F(RestoredNetworks, ThatHaveNoRoomBeginEvicted) {
  constexpr int kNetworks = 20;
  Save(kNetworks);
  TestHost host(2 * kParameterBytes + kParameterBytes / 2, state_.get());
  std::vector<std::shared_ptr<HostedNetwork>> networks;
  for (int i = 0; i < kNetworks; ++i) networks.push_back(Host(host, Named(i)));
  for (int i = 0; i < kNetworks; ++i) {
    const auto& network = *networks[size_t(i)];
    EXPECT_EQ(network.state(), i < 2 ? State::kReady : State::kEvicted) << "nobody made room";
    EXPECT_TRUE(network.Look().binding()->adopted);
    EXPECT_EQ(network.Look().ParameterHash(network.network()), hashes_[size_t(i)]);
    EXPECT_TRUE(network.parameters()->initialized(network.network(), 0, 0));
  }
  EXPECT_FALSE(Request(*networks.back(), Shape{1, 33}).ok());
  for (int i = 0; i < kNetworks; ++i) {
    EXPECT_EQ(Answer(*networks[size_t(i)]), answers_[size_t(i)]);
    EXPECT_EQ(HashOf(*networks[size_t(i)]), hashes_[size_t(i)]);
  }
}

TEST_F(RestoredNetworks, ThatTurnOutNotToFitAreSetAside) {
  Save(2);
  TestHost host(kParameterBytes + kParameterBytes / 2, state_.get());
  const auto first = Host(host, Named(0));
  HostedDefinition changed = Named(1);
  changed.checkpoint = {{"fc.bias", Values({31}, std::vector<float>(31, 2))}};
  const auto network = Host(host, std::move(changed));
  EXPECT_EQ(network->state(), State::kEvicted);
  EXPECT_EQ(network->set_aside(), "");
  EXPECT_NE(Answer(*network), answers_[1]);
  EXPECT_THAT(network->set_aside(), HasSubstr("the checkpoint beside the definition"));
  EXPECT_EQ(network->state(), State::kReady);
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
