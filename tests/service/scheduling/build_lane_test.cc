#include "service/scheduling/build_lane.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"

namespace lazynet::scheduling {
namespace {

using hosting::Executable;
using hosting::HostedNetwork;

std::shared_ptr<HostedNetwork> HostedLayer(testing::TestHost& host, int features) {
  return *HostedNetwork::Create(
      {.network = testing::NetworkOf(testing::DefinitionOf(
           {testing::LayerOf("fc", "Linear", {testing::Arg("out_features", features)})}))},
      host.environment);
}

// Keeps what it is told, and calls back if there is something to call.
class Waiter : public BuildWaiter {
 public:
  using Outcome = absl::StatusOr<Executable>;

  explicit Waiter(std::function<void()> then = nullptr) : then_(std::move(then)) {}

  LaneJob::Time deadline() const override { return expires; }
  bool cancelled() const override { return is_cancelled; }
  void Built(const Outcome& outcome) override {
    const auto then = then_;  // who has the outcome may be done with this
    promise_.set_value(outcome);
    if (then != nullptr) then();
  }
  std::future<Outcome> outcome() { return promise_.get_future(); }

  LaneJob::Time expires = LaneJob::Time::max();
  std::atomic<bool> is_cancelled = false;

 private:
  const std::function<void()> then_;
  std::promise<Outcome> promise_;
};

class BuildLaneTest : public ::testing::Test {
 protected:
  BuildLaneTest()
      : network_(*HostedNetwork::Create({.network = testing::NetworkOf(testing::LazyMlp())},
                                        host_.environment)) {}

  // Submits shapes and gives the outcome's future.
  std::future<absl::StatusOr<Executable>> Submit(BuildLane& lane, const Shape& shape) {
    Waiter& waiter = *waiters_.emplace_back(std::make_unique<Waiter>());
    EXPECT_TRUE(lane.Submit(network_, {shape}, waiter));
    return waiter.outcome();
  }

  // Keeps a lane busy until it is released.
  struct Blocker {
    explicit Blocker(BuildLane& lane) {
      // The work may end after this is gone.
      const auto begun = std::make_shared<std::promise<void>>();
      const std::shared_future<void> released = release.get_future().share();
      EXPECT_TRUE(lane.Submit([begun, released](const absl::Status&) {
        begun->set_value();
        released.wait();
      }));
      begun->get_future().wait();
    }
    std::promise<void> release;
  };

  testing::TestHost host_;
  std::shared_ptr<HostedNetwork> network_;

 private:
  std::vector<std::unique_ptr<Waiter>> waiters_;
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

TEST(WideningBuildLane, BuildsThePlanForManyThreadsThatItIsAskedFor) {
  testing::TestHost host(size_t{1} << 30, nullptr, {.wide_threads = 2});
  const auto small = HostedLayer(host, 8);
  const auto large = HostedLayer(host, 2048);
  const std::vector<Shape> shapes = {{16, 2048}};
  Waiter waiters[2];
  BuildLane lane(4, nullptr);
  for (const auto& network : {small, large}) {
    Waiter& waiter = waiters[network == large];
    ASSERT_TRUE(lane.Submit(network, shapes, waiter));
    const Executable executable = *waiter.outcome().get();
    EXPECT_EQ(executable.wide, nullptr);
    EXPECT_EQ(network->GainsFromWidening(executable), network == large);
    lane.AddPlan(network, executable, shapes, network == large);
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
  Waiter of_other;
  BuildLane lane(1, nullptr);
  Blocker blocker(lane);
  auto waiting = Submit(lane, {2, 3});
  EXPECT_EQ(lane.queue_depth(), 1u);
  Waiter surplus;
  EXPECT_FALSE(lane.Submit(network_, {Shape{3, 3}}, surplus));
  auto joined = Submit(lane, {2, 3});  // equal to one that waits: takes no place
  const auto other = HostedLayer(host_, 2);
  EXPECT_TRUE(lane.Submit(other, {Shape{1, 3}}, of_other));  // which has places of its own
  blocker.release.set_value();
  EXPECT_TRUE(of_other.outcome().get().ok());
  EXPECT_TRUE(waiting.get().ok());
  EXPECT_TRUE(joined.get().ok());
}

TEST_F(BuildLaneTest, OtherWorkIsDoneInItsTurnAndCountsAsWaiting) {
  std::promise<void> begun, release;
  std::vector<int> order;
  std::future<absl::StatusOr<Executable>> prepared;
  absl::Status told = absl::InternalError("not called");
  {
    BuildLane lane(1, nullptr);
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
  std::future<absl::StatusOr<Executable>> waiting;
  {
    BuildLane lane(4, nullptr);
    Blocker blocker(lane);
    waiting = Submit(lane, {2, 3});
    blocker.release.set_value();
  }
  const auto outcome = waiting.get();  // prepared, or told that the server stops
  EXPECT_TRUE(outcome.ok() || outcome.status().code() == absl::StatusCode::kUnavailable);
}

TEST_F(BuildLaneTest, TheDeadAreToldWhileSomethingElseIsUnderWay) {
  Waiter expired, cancelled, patient;
  BuildLane lane(4, nullptr);
  Blocker blocker(lane);
  expired.expires = LaneJob::Clock::now() + std::chrono::milliseconds(5);
  for (Waiter* waiter : {&expired, &cancelled, &patient}) {
    ASSERT_TRUE(lane.Submit(network_, {Shape{2, 3}}, *waiter));
  }
  cancelled.is_cancelled = true;
  EXPECT_EQ(expired.outcome().get().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(cancelled.outcome().get().status().code(), absl::StatusCode::kCancelled);
  blocker.release.set_value();
  EXPECT_TRUE(patient.outcome().get().ok());
}

TEST_F(BuildLaneTest, WhoWaitsForTheSameIsBoundedAsTheNetworksQueueIs) {
  BuildLane lane(4, nullptr);
  Blocker blocker(lane);
  std::vector<std::future<absl::StatusOr<Executable>>> waiting;
  for (int64_t i = 0; i < network_->queue().capacity; ++i) waiting.push_back(Submit(lane, {2, 3}));
  Waiter surplus;
  EXPECT_FALSE(lane.Submit(network_, {Shape{2, 3}}, surplus));
  blocker.release.set_value();
  for (auto& outcome : waiting) EXPECT_TRUE(outcome.get().ok());
}

TEST_F(BuildLaneTest, NothingIsBuiltForWhoNeedsItNoMore) {
  BuildLane lane(4, nullptr);
  Waiter late, gone;
  {
    Blocker blocker(lane);
    late.expires = LaneJob::Clock::now();
    gone.is_cancelled = true;
    EXPECT_TRUE(lane.Submit(network_, {Shape{1, 3}}, late));
    EXPECT_TRUE(lane.Submit(network_, {Shape{1, 3}}, gone));
    blocker.release.set_value();
    EXPECT_EQ(late.outcome().get().status().code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(gone.outcome().get().status().code(), absl::StatusCode::kCancelled);
  }
  EXPECT_EQ(network_->state(), HostedNetwork::State::kLazy);
  EXPECT_TRUE(Submit(lane, {1, 3}).get().ok());
}

TEST_F(BuildLaneTest, NetworksHaveTurns) {
  const auto other = HostedLayer(host_, 2);
  BuildLane lane(8, nullptr);
  std::string order;
  Waiter first([&] { order += 'a'; }), second([&] { order += 'b'; }), third([&] { order += 'c'; });
  {
    Blocker blocker(lane);
    EXPECT_TRUE(lane.Submit(network_, {Shape{1, 3}}, first));
    EXPECT_TRUE(lane.Submit(network_, {Shape{2, 3}}, second));
    EXPECT_TRUE(lane.Submit(other, {Shape{1, 3}}, third));
    blocker.release.set_value();
    for (Waiter* waiter : {&first, &second, &third}) {
      EXPECT_TRUE(waiter->outcome().get().ok());
    }
  }
  // The last of them may still be on its way to its mark.
  std::promise<void> done;
  ASSERT_TRUE(lane.Submit([&](const absl::Status&) { done.set_value(); }));
  done.get_future().wait();
  EXPECT_EQ(order, "acb");
}

TEST_F(BuildLaneTest, AddsPlansThatNobodyWaitsFor) {
  BuildLane lane(4, nullptr);
  const Executable first = *Submit(lane, {1, 3}).get();
  for (int i = 0; i < 3; ++i) lane.AddPlan(network_, first, {Shape{5, 3}});
  while (network_->bound()->plans.Find(std::vector<Shape>{{5, 3}}) == nullptr) {
    std::this_thread::yield();
  }
  // After a reset it would bind the network, which only a request may.
  ASSERT_TRUE(network_->Reset().ok());
  lane.AddPlan(network_, first, {Shape{6, 3}});
  std::promise<void> done;
  ASSERT_TRUE(lane.Submit([&](const absl::Status&) { done.set_value(); }));
  done.get_future().wait();
  EXPECT_EQ(network_->state(), HostedNetwork::State::kLazy);
}

TEST_F(BuildLaneTest, WhatNobodyWaitsForKeepsNothing) {
  BuildLane lane(4, nullptr);
  Executable first = *Submit(lane, {1, 3}).get();
  Blocker blocker(lane);
  lane.AddPlan(network_, first, {Shape{5, 3}});
  const std::weak_ptr<hosting::BoundNetwork> bound = std::exchange(first, {}).bound;
  ASSERT_TRUE(network_->Reset().ok());
  EXPECT_TRUE(bound.expired());
  std::promise<void> done;
  ASSERT_TRUE(lane.Submit([&](const absl::Status&) { done.set_value(); }));
  blocker.release.set_value();
  done.get_future().wait();
}

TEST(LimitedBuildLane, APlanThatCannotBeBuiltIsNotTriedAgainAtEachRequest) {
  testing::TestHost host(size_t{1} << 30, nullptr, {.plan = {.max_arena_bytes = 10000}});
  const auto network = HostedLayer(host, 4);
  Waiter waiter;
  BuildLane lane(4, nullptr);
  ASSERT_TRUE(lane.Submit(network, {Shape{1, 3}}, waiter));
  const Executable first = *waiter.outcome().get();
  const auto builds = [&](const char* outcome) {
    const std::string series = R"(lazynet_plan_builds_total{model=")" + network->network().name() +
                               R"(",version="1",outcome=")" + outcome + R"("} )";
    const std::string text = host.registry.Text();
    const size_t at = text.find(series);
    return at == std::string::npos ? -1 : std::stoi(text.substr(at + series.size()));
  };
  for (int64_t rows = 5; rows < 8; ++rows) {
    lane.AddPlan(network, first, {Shape{1000000, 3}});
    lane.AddPlan(network, first, {Shape{rows, 3}});
    while (network->bound()->plans.Find(std::vector<Shape>{{rows, 3}}) == nullptr) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(builds("failure"), 1);
  EXPECT_EQ(builds("success"), 4);
}

}  // namespace
}  // namespace lazynet::scheduling
