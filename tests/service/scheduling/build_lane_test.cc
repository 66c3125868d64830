#include "service/scheduling/build_lane.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <future>
#include <thread>

#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"

namespace lazynet::scheduling {
namespace {

using hosting::Executable;
using hosting::HostedNetwork;

class BuildLaneTest : public ::testing::Test {
 protected:
  BuildLaneTest()
      : network_(*HostedNetwork::Create({.network = testing::NetworkOf(testing::LazyMlp())},
                                        host_.environment)) {}

  // Submits shapes and gives the outcome's future.
  std::future<absl::StatusOr<Executable>> Submit(BuildLane& lane, const Shape& shape) {
    auto promise = std::make_shared<std::promise<absl::StatusOr<Executable>>>();
    EXPECT_TRUE(lane.Submit(
        network_, {shape},
        [promise](const absl::StatusOr<Executable>& outcome) { promise->set_value(outcome); }));
    return promise->get_future();
  }

  testing::TestHost host_;
  std::shared_ptr<HostedNetwork> network_;
};

TEST_F(BuildLaneTest, WaitersShareOnePreparation) {
  BuildLane lane(4, nullptr);
  std::vector<std::future<absl::StatusOr<Executable>>> outcomes;
  for (int i = 0; i < 50; ++i) outcomes.push_back(Submit(lane, {2, 3}));
  const auto first = outcomes[0].get();
  ASSERT_TRUE(first.ok());
  for (size_t i = 1; i < outcomes.size(); ++i) {
    const auto other = outcomes[i].get();
    ASSERT_TRUE(other.ok());
    EXPECT_EQ(other->plan, first->plan);
    EXPECT_EQ(other->bound, first->bound);
  }
}

TEST_F(BuildLaneTest, YieldsToOtherThreads) {
  const int own = getpriority(PRIO_PROCESS, 0);
  BuildLane lane(4, nullptr);
  std::promise<int> niceness;
  ASSERT_TRUE(
      lane.Submit([&](const absl::Status&) { niceness.set_value(getpriority(PRIO_PROCESS, 0)); }));
  EXPECT_GT(niceness.get_future().get(), own);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
}

TEST_F(BuildLaneTest, AFailureReachesItsWaitersAndChangesNothing) {
  BuildLane lane(4, nullptr);
  EXPECT_EQ(Submit(lane, Shape{}).get().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(network_->state(), HostedNetwork::State::kLazy);
  EXPECT_TRUE(Submit(lane, {2, 3}).get().ok());
  EXPECT_EQ(network_->state(), HostedNetwork::State::kReady);
  const auto mismatch = Submit(lane, {2, 4}).get().status();
  EXPECT_NE(Message(mismatch).find("wants in_features 3, got 4 (bound by the first request"),
            std::string_view::npos);
}

std::shared_ptr<HostedNetwork> HostedLayer(testing::TestHost& host, int features) {
  return *HostedNetwork::Create(
      {.network = testing::NetworkOf(testing::DefinitionOf(
           {testing::LayerOf("fc", "Linear", {testing::Arg("out_features", features)})}))},
      host.environment);
}

TEST(WideningBuildLane, BuildsThePlanForManyThreadsWhenNobodyWaits) {
  testing::TestHost host(size_t{1} << 30, nullptr, {.wide_threads = 2});
  const auto small = HostedLayer(host, 8);
  const auto large = HostedLayer(host, 2048);
  const std::vector<Shape> shapes = {{16, 2048}};
  BuildLane lane(4, nullptr);
  for (const auto& network : {small, large}) {
    std::promise<Executable> promise;
    ASSERT_TRUE(lane.Submit(network, shapes, [&](const absl::StatusOr<Executable>& outcome) {
      promise.set_value(outcome.value());
    }));
    EXPECT_EQ(promise.get_future().get().wide, nullptr);
  }
  while (large->Find(shapes)->wide == nullptr) std::this_thread::yield();
  const Executable executable = *large->Find(shapes);
  EXPECT_EQ(executable.plan->threads(), 1);
  EXPECT_EQ(executable.wide->threads(), 2);
  EXPECT_FALSE(large->GainsFromWidening(executable));
  EXPECT_EQ(large->bound()->plans.size(), 2u);
  EXPECT_EQ(small->Find(shapes)->wide, nullptr);
  EXPECT_EQ(small->bound()->plans.size(), 1u);
}

TEST_F(BuildLaneTest, TheQueueIsBounded) {
  BuildLane lane(1, nullptr);
  // The first preparation holds the lane until its callback returns.
  std::promise<void> begun, release;
  ASSERT_TRUE(lane.Submit(network_, {Shape{1, 3}}, [&](const auto&) {
    begun.set_value();
    release.get_future().wait();
  }));
  begun.get_future().wait();
  auto waiting = Submit(lane, {2, 3});
  EXPECT_EQ(lane.queue_depth(), 1u);
  EXPECT_FALSE(lane.Submit(network_, {Shape{3, 3}}, [](const auto&) {}));
  auto joined = Submit(lane, {2, 3});  // equal to one that waits: takes no place
  release.set_value();
  EXPECT_TRUE(waiting.get().ok());
  EXPECT_TRUE(joined.get().ok());
}

TEST_F(BuildLaneTest, OtherWorkIsDoneInItsTurnAndCountsAsWaiting) {
  std::promise<void> begun, release;
  std::vector<int> order;
  std::future<absl::StatusOr<Executable>> prepared;
  absl::Status told = absl::InternalError("not called");
  {
    BuildLane lane(2, nullptr);
    ASSERT_TRUE(lane.Submit([&](const absl::Status&) {
      begun.set_value();
      release.get_future().wait();
      order.push_back(1);
    }));
    begun.get_future().wait();
    prepared = Submit(lane, {2, 3});
    std::promise<void> done;
    ASSERT_TRUE(lane.Submit([&](const absl::Status& status) {
      order.push_back(2);
      told = status;
      done.set_value();
    }));
    EXPECT_EQ(lane.queue_depth(), 2u);
    EXPECT_FALSE(lane.Submit([](const absl::Status&) {}));
    release.set_value();
    done.get_future().wait();
  }
  EXPECT_TRUE(prepared.get().ok());
  EXPECT_TRUE(told.ok());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(BuildLaneTest, StoppingAnswersWhoeverWaits) {
  std::promise<void> begun, release;
  std::future<absl::StatusOr<Executable>> waiting;
  {
    BuildLane lane(4, nullptr);
    ASSERT_TRUE(lane.Submit(network_, {Shape{1, 3}}, [&](const auto&) {
      begun.set_value();
      release.get_future().wait();
    }));
    begun.get_future().wait();
    waiting = Submit(lane, {2, 3});
    release.set_value();
  }
  const auto outcome = waiting.get();  // prepared, or told that the server stops
  EXPECT_TRUE(outcome.ok() || outcome.status().code() == absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace lazynet::scheduling
