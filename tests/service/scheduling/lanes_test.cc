#include "service/scheduling/lanes.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>

namespace lazynet::scheduling {
namespace {

// Records how it ended; runs until it is released.
class TestJob : public LaneJob {
 public:
  explicit TestJob(Clock::time_point deadline = Clock::time_point::max()) : deadline_(deadline) {}

  Clock::time_point deadline() const override { return deadline_; }
  void Run(plan::Workspace&) override {
    started.count_down();
    release.wait();
    outcome.set_value(absl::OkStatus());
  }
  void Refuse(const absl::Status& status) override { outcome.set_value(status); }

  std::latch started{1};
  std::latch release{1};
  std::promise<absl::Status> outcome;

 private:
  Clock::time_point deadline_;
};

TEST(Lanes, RunJobsInParallel) {
  Lanes lanes(2, 10);
  TestJob first, second;
  ASSERT_TRUE(lanes.Submit(first));
  ASSERT_TRUE(lanes.Submit(second));
  first.started.wait();
  second.started.wait();  // both are under way at once
  first.release.count_down();
  second.release.count_down();
  EXPECT_TRUE(first.outcome.get_future().get().ok());
  EXPECT_TRUE(second.outcome.get_future().get().ok());
}

TEST(Lanes, RefuseWhatDoesNotFitTheQueueAndLeaveItAlone) {
  std::vector<size_t> depths;
  Lanes lanes(1, 1, [&](size_t depth) { depths.push_back(depth); });
  TestJob running, waiting, surplus;
  ASSERT_TRUE(lanes.Submit(running));
  running.started.wait();
  ASSERT_TRUE(lanes.Submit(waiting));
  EXPECT_FALSE(lanes.Submit(surplus));
  EXPECT_EQ(lanes.queue_depth(), 1u);
  running.release.count_down();
  waiting.release.count_down();
  EXPECT_TRUE(waiting.outcome.get_future().get().ok());
  EXPECT_EQ(depths, (std::vector<size_t>{1, 0, 1, 0}));
}

TEST(Lanes, DoNotRunWhatHasExpiredInTheQueue) {
  Lanes lanes(1, 10);
  TestJob expired(LaneJob::Clock::now() - std::chrono::seconds(1));
  ASSERT_TRUE(lanes.Submit(expired));
  EXPECT_EQ(expired.outcome.get_future().get().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace lazynet::scheduling
