// Networks of servers that have a state directory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "service/hosting/hosted_network.h"
#include "tests/service/hosting/mlp_network.h"
#include "tests/service/support/scratch_folder.h"
#include "tests/support/run_op.h"

namespace lazynet::hosting {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using ::testing::HasSubstr;
using testing::LayerOf;
using testing::TestHost;
using testing::Values;
using testing::mlp::Definition;
using testing::mlp::HashOf;
using testing::mlp::Host;
using testing::mlp::Load;
using testing::mlp::Request;
using State = HostedNetwork::State;

class StatefulNetwork : public ::testing::Test {
 protected:
  // As a server that starts on the folder; it stays, whatever starts later.
  std::shared_ptr<HostedNetwork> Start(HostedDefinition definition = Definition()) {
    runs_.push_back(std::make_unique<Run>(folder_.path()));
    return Host(runs_.back()->host, std::move(definition));
  }

  absl::Status TryToStart(HostedDefinition definition = Definition()) {
    const auto state = *StateDirectory::Open(folder_.path());
    const TestHost host(size_t{1} << 30, state.get());
    return HostedNetwork::Create(std::move(definition), host.environment).status();
  }

  std::filesystem::path StateFile() const {
    return folder_.path() / "networks/net/1/state.safetensors";
  }

  testing::ScratchFolder folder_;

 private:
  struct Run {
    explicit Run(const std::filesystem::path& folder)
        : state(*StateDirectory::Open(folder)), host(size_t{1} << 30, state.get()) {}
    const std::unique_ptr<StateDirectory> state;
    TestHost host;
  };
  std::vector<std::unique_ptr<Run>> runs_;
};

TEST_F(StatefulNetwork, ABindingSurvivesARestart) {
  const auto before = Start();
  ASSERT_TRUE(Request(*before, Shape{4, 6}).ok());
  const auto after = Start();
  ASSERT_EQ(after->state(), State::kReady);
  EXPECT_TRUE(after->bound()->binding.adopted);
  EXPECT_EQ(after->bound()->binding.source, Binding::Source::kFirstRequest);
  EXPECT_EQ(HashOf(*after), HashOf(*before));
  ASSERT_TRUE(after->Reset().ok());
  EXPECT_EQ(Start()->state(), State::kLazy);
}

TEST_F(StatefulNetwork, AResetForgetsTheShapesOfRequests) {
  const auto network = Start();
  const std::vector<Shape> shapes{Shape{4, 6}};
  ASSERT_TRUE(network->Prepare(shapes).ok());
  ASSERT_TRUE(network->RecordShapes().ok());
  EXPECT_TRUE(std::filesystem::exists(StateFile().parent_path() / "shapes.json"));
  ASSERT_TRUE(network->Reset().ok());
  ASSERT_TRUE(network->RecordShapes().ok());
  EXPECT_TRUE(Start()->remembered_shapes().entries().empty());
}

TEST_F(StatefulNetwork, LoadedValuesSurviveWhenTheyCameBeforeTheBinding) {
  const auto before = Start();
  ASSERT_TRUE(Load(*before, {{"fc2.bias", Values({1}, {0.25f})}}).ok());
  {
    const auto partial = Start();
    EXPECT_EQ(partial->state(), State::kLazy);
    EXPECT_EQ(partial->parameters()->value(2, 1)->tensor.values<float>()[0], 0.25f);
  }
  ASSERT_TRUE(Request(*before, Shape{4, 6}).ok());
  const auto after = Start();
  EXPECT_EQ(HashOf(*after), HashOf(*before));
}

// fc1 was drawn before its weight was replaced: made again, fc2 must still draw behind it.
TEST_F(StatefulNetwork, LoadedValuesSurviveWhenTheyReplacedDrawnOnes) {
  const auto before = Start();
  ASSERT_TRUE(Request(*before, Shape{4, 6}).ok());
  const std::string drawn = HashOf(*before);
  ASSERT_TRUE(Load(*before, {{"fc1.weight", Values({10, 6}, std::vector<float>(60, 0.5f))},
                             {"fc1.bias", Values({10}, std::vector<float>(10, 0.5f))}})
                  .ok());
  EXPECT_NE(HashOf(*before), drawn);
  const auto after = Start();
  EXPECT_TRUE(after->set_aside().empty()) << after->set_aside();
  EXPECT_EQ(HashOf(*after), HashOf(*before));
}

TEST_F(StatefulNetwork, OfTwoServersTheFirstBindsAndTheOtherAdopts) {
  const auto first = Start();
  const auto other = Start();
  ASSERT_TRUE(Request(*first, Shape{1, 6}).ok());
  EXPECT_EQ(other->state(), State::kLazy);
  EXPECT_THAT(std::string(Message(Request(*other, Shape{1, 7}))),
              HasSubstr("wants in_features 6, got 7 (bound by the first request, input [1, 6]"));
  EXPECT_EQ(other->state(), State::kReady);
  EXPECT_TRUE(other->bound()->binding.adopted);
  EXPECT_EQ(HashOf(*other), HashOf(*first));
}

TEST_F(StatefulNetwork, OfTwoServersTheOtherAdoptsBeforeItLoads) {
  const auto first = Start();
  const auto other = Start();
  ASSERT_TRUE(Request(*first, Shape{1, 6}).ok());
  EXPECT_EQ(Load(*other, {{"fc2.bias", Values({1}, {0.25f})}}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(HashOf(*other), HashOf(*first));
  EXPECT_EQ(HashOf(*Start()), HashOf(*first));
}

TEST_F(StatefulNetwork, ValuesOfTwoServersComeTogether) {
  const auto first = Start();
  const auto other = Start();
  ASSERT_TRUE(Load(*first, {{"fc2.bias", Values({1}, {0.25f})}}).ok());
  ASSERT_TRUE(Load(*other, {{"fc1.bias", Values({10}, std::vector<float>(10, 0.5f))}}).ok());
  ASSERT_TRUE(Request(*first, Shape{1, 6}).ok());
  ASSERT_TRUE(Request(*other, Shape{1, 6}).ok());
  EXPECT_EQ(HashOf(*other), HashOf(*first));
  EXPECT_EQ(first->parameters()->value(0, 1)->tensor.values<float>()[0], 0.5f);
  EXPECT_EQ(first->parameters()->value(2, 1)->tensor.values<float>()[0], 0.25f);
}

class RacingServers : public StatefulNetwork {
 protected:
  // All get their first request at once, of two sizes.
  void Race() {
    std::vector<std::shared_ptr<HostedNetwork>> networks;
    for (int i = 0; i < 8; ++i) networks.push_back(Start());
    std::vector<std::thread> servers;
    std::atomic<int> good = 0;
    for (int i = 0; i < 8; ++i) {
      servers.emplace_back([&, i] {
        if (Request(*networks[size_t(i)], Shape{1, 3 + i % 2}).ok()) ++good;
      });
    }
    for (std::thread& server : servers) server.join();
    EXPECT_EQ(good, 4);
    for (const auto& network : networks) EXPECT_EQ(HashOf(*network), HashOf(*networks[0]));
  }
};

TEST_F(RacingServers, Agree) { Race(); }

TEST_F(RacingServers, AgreeWhereThereAreValues) {
  ASSERT_TRUE(Load(*Start(), {{"fc2.bias", Values({1}, {0.25f})}}).ok());
  Race();
}

TEST_F(RacingServers, AgreeWhereThereAreValuesOfAnOlderServer) {
  ASSERT_TRUE(Load(*Start(), {{"fc2.bias", Values({1}, {0.25f})}}).ok());
  std::filesystem::rename(StateFile().parent_path() / "values.safetensors", StateFile());
  Race();
}

TEST_F(StatefulNetwork, AStateOfAnotherDefinitionIsSetAside) {
  ASSERT_TRUE(Request(*Start(), Shape{4, 6}).ok());
  HostedDefinition changed =
      Definition(DefinitionOf({LayerOf("fc1", "Linear", {Arg("out_features", 11)})}));
  changed.fingerprint = "other";
  const auto network = Start(std::move(changed));
  EXPECT_EQ(network->state(), State::kLazy);
  EXPECT_THAT(network->set_aside(), HasSubstr("saved for another definition"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "networks/net/1/set-aside-1.safetensors"));
}

// As while servers are replaced one after the other.
TEST_F(StatefulNetwork, AStateOfAnotherDefinitionThatComesLaterIsSetAside) {
  HostedDefinition changed = Definition();
  changed.fingerprint = "other";
  const auto network = Start(std::move(changed));
  ASSERT_TRUE(Request(*Start(), Shape{4, 6}).ok());
  EXPECT_TRUE(Request(*network, Shape{1, 3}).ok());
  EXPECT_THAT(network->set_aside(), HasSubstr("saved for another definition"));
}

TEST_F(StatefulNetwork, ARetiredNetworkAnswersAndWritesNothing) {
  const auto retired = Start();
  retired->Retire();
  ASSERT_TRUE(Request(*retired, Shape{4, 6}).ok());
  ASSERT_TRUE(retired->Find(std::vector<Shape>{Shape{4, 6}}).has_value());
  ASSERT_TRUE(retired->RecordShapes().ok());
  EXPECT_FALSE(std::filesystem::exists(StateFile().parent_path()));
  EXPECT_EQ(Load(*retired, {{"fc2.bias", Values({1}, {1})}}).code(), absl::StatusCode::kAborted);
  const auto lazy = Start();
  lazy->Retire();
  EXPECT_EQ(Load(*lazy, {{"fc2.bias", Values({1}, {1})}}).code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(std::filesystem::exists(StateFile().parent_path()));
}

TEST_F(StatefulNetwork, ARetiredNetworkLeavesTheStateOfItsSuccessor) {
  const auto retired = Start();
  retired->Retire();
  HostedDefinition changed = Definition();
  changed.fingerprint = "other";
  const auto successor = Start(changed);
  ASSERT_TRUE(Request(*successor, Shape{4, 6}).ok());
  EXPECT_TRUE(Request(*retired, Shape{1, 3}).ok());
  EXPECT_EQ(retired->Reset().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(HashOf(*Start(changed)), HashOf(*successor));
}

TEST_F(StatefulNetwork, AStateOfAnotherCheckpointIsSetAside) {
  HostedDefinition with = Definition();
  with.checkpoint = {{"fc2.bias", Values({1}, {1})}};
  ASSERT_TRUE(Request(*Start(with), Shape{4, 6}).ok());
  with.checkpoint = {{"fc2.bias", Values({1}, {2})}};
  const auto network = Start(with);
  EXPECT_EQ(network->state(), State::kLazy);
  EXPECT_THAT(network->set_aside(), HasSubstr("the checkpoint beside the definition"));
}

// For as long as it lives the process can open no file.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreFiles() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

class UnreadableState : public StatefulNetwork {
 protected:
  void SetUp() override {
    eager_ = Definition(
        DefinitionOf({LayerOf("fc", "Linear", {Arg("in_features", 2), Arg("out_features", 1)})}));
    const auto before = Start(eager_);
    ASSERT_TRUE(Load(*before, {{"fc.bias", Values({1}, {0.25f})}}).ok());
    hash_ = HashOf(*before);
  }

  void ExpectNothingWasLost() {
    EXPECT_FALSE(std::filesystem::exists(StateFile().parent_path() / "set-aside-1.txt"));
    const auto after = Start(eager_);
    EXPECT_EQ(after->set_aside(), "");
    EXPECT_EQ(HashOf(*after), hash_);
  }

  HostedDefinition eager_;
  std::string hash_;
};

TEST_F(UnreadableState, TooManyOpenFilesLoseNothing) {
  const auto state = *StateDirectory::Open(folder_.path());
  const TestHost host(size_t{1} << 30, state.get());
  absl::Status status;
  {
    const NoMoreFiles none;
    status = HostedNetwork::Create(eager_, host.environment).status();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  ExpectNothingWasLost();
}

TEST_F(UnreadableState, WhatTheSystemRefusesLosesNothing) {
  const auto aside = folder_.path() / "aside";
  std::filesystem::rename(StateFile(), aside);
  std::filesystem::create_symlink(StateFile(), StateFile());  // a loop: ELOOP, even for root
  EXPECT_EQ(TryToStart(eager_).code(), absl::StatusCode::kFailedPrecondition);
  std::filesystem::remove(StateFile());
  std::filesystem::rename(aside, StateFile());
  ExpectNothingWasLost();
}

}  // namespace
}  // namespace lazynet::hosting
