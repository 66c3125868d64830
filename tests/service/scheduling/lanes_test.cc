#include "service/scheduling/lanes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>

namespace lazynet::scheduling {
namespace {

const hosting::QueueOptions kLine;

plan::BatchFamily& Alone() {
  static plan::BatchFamily family(false, 1, std::chrono::milliseconds(1));
  return family;
}

// Records how it ended; runs until it is released.
class TestJob : public LaneJob {
 public:
  explicit TestJob(Time deadline = Time::max()) : deadline_(deadline) {}

  const hosting::QueueOptions& queue() const override { return *line; }
  plan::BatchFamily& family() const override { return *of; }
  Time deadline() const override { return deadline_; }
  bool runs_wide() const override { return wide; }
  void Run(std::span<LaneJob* const> batch, plan::Workspace& workspace, int with) override {
    threads = with;
    together = batch.size();
    ASSERT_TRUE(workspace.Reserve(arena_bytes, 0).ok());
    started.count_down();
    release.wait();
    for (LaneJob* job : batch) static_cast<TestJob*>(job)->outcome.set_value(absl::OkStatus());
  }
  bool cancelled() const override { return is_cancelled; }
  void Refuse(const absl::Status& status) override { outcome.set_value(status); }

  std::atomic<bool> is_cancelled = false;
  bool wide = false;
  int threads = 0;
  size_t together = 0;
  const hosting::QueueOptions* line = &kLine;
  plan::BatchFamily* of = &Alone();
  size_t arena_bytes = 0;
  std::latch started{1};
  std::latch release{1};
  std::promise<absl::Status> outcome;

 private:
  Clock::time_point deadline_;
};

TEST(Lanes, RunJobsInParallel) {
  Lanes lanes(2, {});
  TestJob first, second;
  ASSERT_FALSE(lanes.Submit(first));
  ASSERT_FALSE(lanes.Submit(second));
  first.started.wait();
  second.started.wait();  // both are under way at once
  first.release.count_down();
  second.release.count_down();
  EXPECT_TRUE(first.outcome.get_future().get().ok());
  EXPECT_TRUE(second.outcome.get_future().get().ok());
}

TEST(Lanes, RefuseWhatDoesNotFitTheQueueAndLeaveItAlone) {
  std::vector<size_t> depths;
  Lanes lanes(1, {.queue_depth = [&](size_t depth) { depths.push_back(depth); }});
  const hosting::QueueOptions one_place{.capacity = 1};
  TestJob running, waiting, surplus;
  for (TestJob* job : {&running, &waiting, &surplus}) job->line = &one_place;
  ASSERT_FALSE(lanes.Submit(running));
  running.started.wait();
  ASSERT_FALSE(lanes.Submit(waiting));
  const auto refusal = lanes.Submit(surplus);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "queue_full");
  EXPECT_EQ(lanes.queue_depth(), 1u);
  running.release.count_down();
  waiting.release.count_down();
  EXPECT_TRUE(waiting.outcome.get_future().get().ok());
  EXPECT_EQ(depths, (std::vector<size_t>{1, 0, 1, 0}));
}

TEST(Lanes, AJobThatWasCancelledWhileItWaitedIsNotRun) {
  Lanes lanes(1, {});
  TestJob running, waiting;
  ASSERT_FALSE(lanes.Submit(running));
  running.started.wait();
  ASSERT_FALSE(lanes.Submit(waiting));
  waiting.is_cancelled = true;
  running.release.count_down();
  EXPECT_EQ(waiting.outcome.get_future().get().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(waiting.started.try_wait());
}

TEST(Lanes, RunTogetherWhatWaitedTogether) {
  Lanes lanes(1, {});
  TestJob running, first, second, third;
  plan::BatchFamily family(true, 8, std::chrono::milliseconds(1));
  for (TestJob* job : {&first, &second, &third}) job->of = &family;
  ASSERT_FALSE(lanes.Submit(running));
  running.started.wait();
  for (TestJob* job : {&first, &second, &third}) ASSERT_FALSE(lanes.Submit(*job));
  second.is_cancelled = true;
  running.release.count_down();
  first.release.count_down();
  EXPECT_TRUE(first.outcome.get_future().get().ok());
  EXPECT_TRUE(third.outcome.get_future().get().ok());
  EXPECT_EQ(second.outcome.get_future().get().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(first.together, 2u);
  EXPECT_EQ(third.together, 0u);  // the first one ran it
}

TEST(Lanes, AJobThatMayWaitForOthersIsRunAllTheSame) {
  Lanes lanes(2, {});
  const hosting::QueueOptions line{.max_batch_delay = std::chrono::milliseconds(1)};
  plan::BatchFamily family(true, 8, std::chrono::microseconds(1));
  TestJob job;
  job.line = &line;
  job.of = &family;
  job.release.count_down();
  ASSERT_FALSE(lanes.Submit(job));
  EXPECT_TRUE(job.outcome.get_future().get().ok());
}

class WideJob : public TestJob {
 public:
  WideJob() { wide = true; }
};

// Until its lanes wait for work, which takes them a moment, a job may come too early to run wide.
void WaitUntilIdle(Lanes& lanes) {
  while (!lanes.AreIdle()) std::this_thread::yield();
}

TEST(Lanes, AJobThatGainsHasAllThreadsWhenNobodyElseWantsThem) {
  Lanes lanes(3, {});
  WaitUntilIdle(lanes);
  WideJob wide;
  ASSERT_FALSE(lanes.Submit(wide));
  wide.started.wait();
  EXPECT_EQ(wide.threads, 3);
  // The lanes wait, so that no more threads compute than there are lanes.
  TestJob narrow;
  ASSERT_FALSE(lanes.Submit(narrow));
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
  Lanes lanes(2, {});
  WaitUntilIdle(lanes);
  TestJob narrow;
  WideJob wide;
  ASSERT_FALSE(lanes.Submit(narrow));
  narrow.started.wait();
  ASSERT_FALSE(lanes.Submit(wide));
  wide.started.wait();
  EXPECT_EQ(wide.threads, 1);
  narrow.release.count_down();
  wide.release.count_down();
  EXPECT_TRUE(narrow.outcome.get_future().get().ok());
  EXPECT_TRUE(wide.outcome.get_future().get().ok());
}

TEST(Lanes, OneLaneHasNothingToWiden) {
  Lanes lanes(1, {});
  WaitUntilIdle(lanes);
  WideJob wide;
  wide.release.count_down();
  ASSERT_FALSE(lanes.Submit(wide));
  EXPECT_TRUE(wide.outcome.get_future().get().ok());
  EXPECT_EQ(wide.threads, 1);
}

TEST(Lanes, AnotherThreadRunsWhatTheIdleLanesNeedNotBeWokenFor) {
  Lanes lanes(2, {});
  WaitUntilIdle(lanes);
  plan::Workspace workspace;
  plan::BatchFamily family(true, 8, std::chrono::microseconds(1));
  TestJob first, second, expired(LaneJob::Clock::now() - std::chrono::seconds(1));
  for (TestJob* job : {&first, &second, &expired}) {
    job->of = &family;
    job->release.count_down();
  }
  std::vector<LaneJob*> jobs{&first, &expired, &second};
  EXPECT_FALSE(lanes.RunHere(jobs, workspace));
  EXPECT_EQ(jobs, std::vector<LaneJob*>{&expired});  // left to be submitted
  EXPECT_EQ(first.together, 2u);
  EXPECT_TRUE(first.outcome.get_future().get().ok());
  EXPECT_TRUE(second.outcome.get_future().get().ok());
  ASSERT_FALSE(lanes.Submit(expired));
  EXPECT_EQ(expired.outcome.get_future().get().code(), absl::StatusCode::kDeadlineExceeded);
}

// Submits another job while it is run, and waits until that has begun.
class SubmittingJob : public TestJob {
 public:
  SubmittingJob(Lanes& lanes, TestJob& other) : lanes_(lanes), other_(other) {}

  void Run(std::span<LaneJob* const> batch, plan::Workspace& workspace, int with) override {
    ASSERT_FALSE(lanes_.Submit(other_));
    other_.started.wait();
    TestJob::Run(batch, workspace, with);
  }

 private:
  Lanes& lanes_;
  TestJob& other_;
};

TEST(Lanes, AnotherThreadRunsNothingButItsOwn) {
  Lanes lanes(1, {});
  WaitUntilIdle(lanes);
  plan::Workspace workspace;
  TestJob other;
  SubmittingJob own(lanes, other);
  own.release.count_down();
  std::vector<LaneJob*> jobs{&own};
  EXPECT_TRUE(lanes.RunHere(jobs, workspace));
  EXPECT_TRUE(own.outcome.get_future().get().ok());
  other.release.count_down();
  EXPECT_TRUE(other.outcome.get_future().get().ok());
}

TEST(Lanes, NothingIsRunElsewhereWhileALaneIsBusyUnlessItMust) {
  Lanes lanes(1, {});
  plan::Workspace workspace;
  TestJob running, waiting;
  ASSERT_FALSE(lanes.Submit(running));
  running.started.wait();
  std::vector<LaneJob*> jobs{&waiting};
  EXPECT_FALSE(lanes.AreIdle());
  EXPECT_FALSE(lanes.RunHere(jobs, workspace));
  EXPECT_EQ(jobs.size(), 1u);
  waiting.release.count_down();
  EXPECT_TRUE(lanes.RunNow(waiting, workspace));
  EXPECT_TRUE(waiting.outcome.get_future().get().ok());
  TestJob cancelled;
  cancelled.is_cancelled = true;
  EXPECT_FALSE(lanes.RunNow(cancelled, workspace));
  running.release.count_down();
  EXPECT_TRUE(running.outcome.get_future().get().ok());
}

TEST(Lanes, RefuseWhatWaitsBehindAWideJobWhenTheyStop) {
  auto lanes = std::make_unique<Lanes>(2, LaneObservers());
  WaitUntilIdle(*lanes);
  WideJob wide, waiting;
  ASSERT_FALSE(lanes->Submit(wide));
  wide.started.wait();
  ASSERT_FALSE(lanes->Submit(waiting));
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
    Lanes lanes(2, {.workspace_bytes = [&](size_t bytes) { told.push_back(bytes); }});
    TestJob small, large;
    small.arena_bytes = 100;
    large.arena_bytes = 1000;
    for (TestJob* job : {&small, &large}) ASSERT_FALSE(lanes.Submit(*job));
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

TEST(Lanes, GiveTheirWorkspacesBackWhenTheyRest) {
  std::promise<void> empty;
  std::atomic<size_t> most = 0;
  const auto told = [&](size_t bytes) {
    most = std::max(most.load(), bytes);
    if (bytes == 0) empty.set_value();
  };
  Lanes lanes(2, {.workspace_bytes = told}, std::chrono::nanoseconds(0));
  TestJob job, wide;
  wide.wide = true;
  job.arena_bytes = 1 << 20;
  wide.arena_bytes = 1 << 20;
  for (TestJob* each : {&job, &wide}) {
    empty = {};
    WaitUntilIdle(lanes);
    ASSERT_FALSE(lanes.Submit(*each));
    each->release.count_down();
    EXPECT_TRUE(each->outcome.get_future().get().ok());
    empty.get_future().wait();
  }
  EXPECT_EQ(wide.threads, 2);
  EXPECT_EQ(most, size_t{1} << 20);
}

TEST(Lanes, WhatIsCancelledKeepsNoPlaceFromOthers) {
  Lanes lanes(1, {});
  const hosting::QueueOptions one_place{.capacity = 1};
  TestJob running, waiting, next;
  for (TestJob* job : {&running, &waiting, &next}) job->line = &one_place;
  ASSERT_FALSE(lanes.Submit(running));
  running.started.wait();
  ASSERT_FALSE(lanes.Submit(waiting));
  waiting.is_cancelled = true;
  EXPECT_FALSE(lanes.Submit(next));
  EXPECT_EQ(waiting.outcome.get_future().get().code(), absl::StatusCode::kCancelled);
  running.release.count_down();
  next.release.count_down();
  EXPECT_TRUE(next.outcome.get_future().get().ok());
}

TEST(Lanes, DoNotRunWhatHasExpiredInTheQueue) {
  Lanes lanes(1, {});
  TestJob expired(LaneJob::Clock::now() - std::chrono::seconds(1));
  ASSERT_FALSE(lanes.Submit(expired));
  EXPECT_EQ(expired.outcome.get_future().get().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace lazynet::scheduling
