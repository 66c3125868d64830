#include "service/scheduling/lanes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>

namespace lazynet::scheduling {
namespace {

// Records how it ended; runs until it is released.
class TestJob : public LaneJob {
 public:
  explicit TestJob(Clock::time_point deadline = Clock::time_point::max()) : deadline_(deadline) {}

  Clock::time_point deadline() const override { return deadline_; }
  bool runs_wide() const override { return wide; }
  void Run(plan::Workspace& workspace, int with) override {
    threads = with;
    ASSERT_TRUE(workspace.Reserve(arena_bytes, 0).ok());
    started.count_down();
    release.wait();
    outcome.set_value(absl::OkStatus());
  }
  bool cancelled() const override { return is_cancelled; }
  void Refuse(const absl::Status& status) override { outcome.set_value(status); }

  std::atomic<bool> is_cancelled = false;
  bool wide = false;
  int threads = 0;
  size_t arena_bytes = 0;
  std::latch started{1};
  std::latch release{1};
  std::promise<absl::Status> outcome;

 private:
  Clock::time_point deadline_;
};

TEST(Lanes, RunJobsInParallel) {
  Lanes lanes(2, 10, {});
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
  Lanes lanes(1, 1, {.queue_depth = [&](size_t depth) { depths.push_back(depth); }});
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

TEST(Lanes, AJobThatWasCancelledWhileItWaitedIsNotRun) {
  Lanes lanes(1, 10, {});
  TestJob running, waiting;
  ASSERT_TRUE(lanes.Submit(running));
  running.started.wait();
  ASSERT_TRUE(lanes.Submit(waiting));
  waiting.is_cancelled = true;
  running.release.count_down();
  EXPECT_EQ(waiting.outcome.get_future().get().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(waiting.started.try_wait());
}

TEST(Lanes, AWaitIsPredictedFromWhatIsQueuedAndWhatRunsTook) {
  Lanes lanes(1, 10, {});
  EXPECT_EQ(lanes.PredictedWait().count(), 0);
  TestJob past, running, waiting;
  ASSERT_TRUE(lanes.Submit(past));
  past.release.count_down();
  past.outcome.get_future().wait();
  ASSERT_TRUE(lanes.Submit(running));
  running.started.wait();
  EXPECT_EQ(lanes.PredictedWait().count(), 0);
  ASSERT_TRUE(lanes.Submit(waiting));
  EXPECT_GT(lanes.PredictedWait().count(), 0);
  running.release.count_down();
  waiting.release.count_down();
  waiting.outcome.get_future().wait();
}

class WideJob : public TestJob {
 public:
  WideJob() { wide = true; }
};

// Until its lanes wait for work, which takes them a moment, a job may come too early to run wide.
void WaitUntilIdle(Lanes& lanes) {
  while (lanes.idle() < lanes.count()) std::this_thread::yield();
}

TEST(Lanes, AJobThatGainsHasAllThreadsWhenNobodyElseWantsThem) {
  Lanes lanes(3, 10, {});
  WaitUntilIdle(lanes);
  WideJob wide;
  ASSERT_TRUE(lanes.Submit(wide));
  wide.started.wait();
  EXPECT_EQ(wide.threads, 3);
  // The lanes wait, so that no more threads compute than there are lanes.
  TestJob narrow;
  ASSERT_TRUE(lanes.Submit(narrow));
  EXPECT_FALSE(narrow.started.try_wait());
  EXPECT_EQ(lanes.queue_depth(), 1u);
  wide.release.count_down();
  narrow.started.wait();
  EXPECT_EQ(narrow.threads, 1);
  narrow.release.count_down();
  EXPECT_TRUE(wide.outcome.get_future().get().ok());
  EXPECT_TRUE(narrow.outcome.get_future().get().ok());
}

TEST(Lanes, AJobHasOneThreadWhileOthersRun) {
  Lanes lanes(2, 10, {});
  WaitUntilIdle(lanes);
  TestJob narrow;
  WideJob wide;
  ASSERT_TRUE(lanes.Submit(narrow));
  narrow.started.wait();
  ASSERT_TRUE(lanes.Submit(wide));
  wide.started.wait();
  EXPECT_EQ(wide.threads, 1);
  narrow.release.count_down();
  wide.release.count_down();
  EXPECT_TRUE(narrow.outcome.get_future().get().ok());
  EXPECT_TRUE(wide.outcome.get_future().get().ok());
}

TEST(Lanes, OneLaneHasNothingToWiden) {
  Lanes lanes(1, 10, {});
  WaitUntilIdle(lanes);
  WideJob wide;
  wide.release.count_down();
  ASSERT_TRUE(lanes.Submit(wide));
  EXPECT_TRUE(wide.outcome.get_future().get().ok());
  EXPECT_EQ(wide.threads, 1);
}

TEST(Lanes, RefuseWhatWaitsBehindAWideJobWhenTheyStop) {
  auto lanes = std::make_unique<Lanes>(2, 10, LaneObservers());
  WaitUntilIdle(*lanes);
  WideJob wide, waiting;
  ASSERT_TRUE(lanes->Submit(wide));
  wide.started.wait();
  ASSERT_TRUE(lanes->Submit(waiting));
  std::thread stopping([&] { lanes.reset(); });
  wide.release.count_down();
  waiting.release.count_down();
  stopping.join();
  EXPECT_TRUE(wide.outcome.get_future().get().ok());
  const absl::Status status = waiting.outcome.get_future().get();
  EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kUnavailable) << status;
}

TEST(Lanes, TellHowMuchTheirWorkspacesHold) {
  std::vector<size_t> told;
  {
    Lanes lanes(2, 10, {.workspace_bytes = [&](size_t bytes) { told.push_back(bytes); }});
    TestJob small, large;
    small.arena_bytes = 100;
    large.arena_bytes = 1000;
    for (TestJob* job : {&small, &large}) ASSERT_TRUE(lanes.Submit(*job));
    for (TestJob* job : {&small, &large}) {
      job->started.wait();  // both run: each on a lane of its own
    }
    small.release.count_down();
    large.release.count_down();
    EXPECT_TRUE(small.outcome.get_future().get().ok());
    EXPECT_TRUE(large.outcome.get_future().get().ok());
  }
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told.back(), 1100u);
}

TEST(Lanes, DoNotRunWhatHasExpiredInTheQueue) {
  Lanes lanes(1, 10, {});
  TestJob expired(LaneJob::Clock::now() - std::chrono::seconds(1));
  ASSERT_TRUE(lanes.Submit(expired));
  EXPECT_EQ(expired.outcome.get_future().get().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace lazynet::scheduling
