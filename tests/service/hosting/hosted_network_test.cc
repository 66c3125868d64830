#include "service/hosting/hosted_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

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
using testing::LazyMlp;
using testing::NetworkOf;
using testing::TestHost;
using testing::Values;
using State = HostedNetwork::State;

HostedDefinition Definition(nn::NetworkDefinition definition = LazyMlp(),
                            ServingOptions serving = {}) {
  return {.network = NetworkOf(std::move(definition)),
          .fingerprint = "fingerprint",
          .serving = std::move(serving)};
}

std::shared_ptr<HostedNetwork> Host(const TestHost& host, HostedDefinition definition) {
  auto hosted = HostedNetwork::Create(std::move(definition), host.environment);
  LAZYNET_CHECK(hosted.ok());
  return *std::move(hosted);
}

absl::Status Request(HostedNetwork& network, const Shape& shape) {
  return network.Prepare({&shape, 1}).status();
}

absl::Status Load(HostedNetwork& network, const nn::StateDict& values, bool strict = false) {
  nn::LoadReport report;
  return network.Load(values, {.allow_missing = !strict, .allow_unexpected = !strict}, false,
                      report);
}

std::string HashOf(const HostedNetwork& network) {
  return network.bound()->hash(network.network());
}

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
