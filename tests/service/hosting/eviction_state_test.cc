// What is evicted where a state directory remembers it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "service/hosting/hosted_network.h"
#include "tests/service/hosting/linear_network.h"
#include "tests/service/support/scratch_folder.h"

namespace lazynet::hosting {
namespace {

using ::testing::HasSubstr;
using testing::NetworkOf;
using testing::TestHost;
using testing::Values;
using testing::linear::Answer;
using testing::linear::Definition;
using testing::linear::HashOf;
using testing::linear::Host;
using testing::linear::kParameterBytes;
using testing::linear::kShape;
using testing::linear::Linear;
using testing::linear::Request;
using State = HostedNetwork::State;

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

}  // namespace
}  // namespace lazynet::hosting
