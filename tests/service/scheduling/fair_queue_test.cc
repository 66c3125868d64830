#include "service/scheduling/fair_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/scheduling/batch_size.h"

namespace lazynet::scheduling {
namespace {

using namespace std::chrono_literals;
using hosting::QueueOptions;
using plan::BatchFamily;
using std::chrono::nanoseconds;

// Stands in lines and is never run. Time is what the test says it is.
class WaitingJob : public LaneJob {
 public:
  WaitingJob(const QueueOptions& queue, BatchFamily& family) : queue_(queue), family_(family) {}

  const QueueOptions& queue() const override { return queue_; }
  BatchFamily& family() const override { return family_; }
  int64_t priority() const override { return priority_; }
  Time deadline() const override { return deadline_; }
  int64_t items() const override { return items_; }
  bool cancelled() const override { return cancelled_; }
  void Run(std::span<LaneJob* const>, plan::Workspace&, int) override { FAIL(); }
  void Refuse(const absl::Status&) override { FAIL(); }

  WaitingJob& WithPriority(int64_t priority) { return priority_ = priority, *this; }
  WaitingJob& WithDeadline(Time deadline) { return deadline_ = deadline, *this; }
  WaitingJob& WithItems(int64_t items) { return items_ = items, *this; }
  WaitingJob& Cancel() { return cancelled_ = true, *this; }

 private:
  const QueueOptions& queue_;
  BatchFamily& family_;
  int64_t priority_ = 1;
  Time deadline_ = Time::max();
  int64_t items_ = 1;
  bool cancelled_ = false;
};

class FairQueueTest : public ::testing::Test {
 protected:
  using Time = LaneJob::Time;

  WaitingJob& Make(const QueueOptions& line, BatchFamily& family) {
    jobs_.push_back(std::make_unique<WaitingJob>(line, family));
    return *jobs_.back();
  }
  WaitingJob& Push(const QueueOptions& line, BatchFamily& family) {
    WaitingJob& job = Make(line, family);
    EXPECT_FALSE(queue.Push(job, now));
    return job;
  }
  void Push(int count, const QueueOptions& line, BatchFamily& family) {
    for (int i = 0; i < count; ++i) Push(line, family);
  }

  // The next batch, or no jobs.
  std::vector<LaneJob*> Pop() {
    auto batch = queue.Pop(now);
    return batch ? batch->jobs : std::vector<LaneJob*>();
  }

  // Serves for so long, one batch at a time: how much lane time each line got. A job takes what its
  // family really does, whatever was predicted.
  std::map<const QueueOptions*, nanoseconds> Serve(nanoseconds time,
                                                   const std::map<LaneJob*, nanoseconds>& taken) {
    std::map<const QueueOptions*, nanoseconds> got;
    while (time.count() > 0) {
      auto batch = queue.Pop(now);
      if (!batch) break;
      nanoseconds sum{0};
      for (LaneJob* job : batch->jobs) sum += taken.at(job);
      got[batch->line] += sum;
      queue.Finish(*batch, sum);
      time -= sum;
      now += sum;
    }
    return got;
  }

  Time now{1h};
  FairQueue queue{1};
  BatchFamily alone{false, 1, 1ms};      // one by one
  BatchFamily batched{true, 16, 100us};  // up to 16 together

 private:
  std::vector<std::unique_ptr<WaitingJob>> jobs_;
};

TEST_F(FairQueueTest, ServesOneLineInTheOrderOfArrival) {
  const QueueOptions line;
  LaneJob& first = Push(line, alone);
  LaneJob& second = Push(line, alone);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&first});
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&second});
  EXPECT_TRUE(Pop().empty());
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(FairQueueTest, RefusesWhatALineHasNoPlaceForAndTakesThatOfOthers) {
  const QueueOptions small{.capacity = 2};
  const QueueOptions other{.capacity = 2};
  Push(2, small, alone);
  WaitingJob& surplus = Make(small, alone);
  const auto refusal = queue.Push(surplus, now);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "queue_full");
  EXPECT_EQ(refusal->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refusal->status.message(), "the queue is full: 2 requests wait");
  EXPECT_EQ(refusal->retry_after, 2ms);
  Push(2, other, alone);
  EXPECT_EQ(queue.size(), 4u);
  Pop();
  Push(small, alone);  // there is a place again
}

TEST_F(FairQueueTest, RefusesWhatWouldWaitForTooLong) {
  const QueueOptions line{.max_wait = 3ms};
  Push(4, line, alone);  // a millisecond each
  EXPECT_EQ(queue.PredictedWait(line), 4ms);
  const auto refusal = queue.Push(Make(line, alone), now);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "queue_wait");
  EXPECT_EQ(refusal->status.message(),
            "the queue is too long: a request waits 3 ms at most, and would wait about 4 ms");
  EXPECT_EQ(refusal->retry_after, 1ms);
}

TEST_F(FairQueueTest, RefusesWhatCannotBeRunBeforeItsDeadline) {
  const QueueOptions line;
  Push(5, line, alone);
  const auto refusal = queue.Push(Make(line, alone).WithDeadline(now + 4ms), now);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "deadline");
  EXPECT_EQ(refusal->status.message(),
            "the queue is too long: the request would wait about 5 ms, and has 4 ms until its "
            "deadline");
  EXPECT_FALSE(queue.Push(Make(line, alone).WithDeadline(now + 6ms), now));
}

TEST_F(FairQueueTest, AWaitIsThatOfTheLineAmongTheOthersOnAllLanes) {
  FairQueue two_lanes(2);
  const QueueOptions busy, calm, idle;
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(two_lanes.Push(Make(busy, alone), now));
  ASSERT_FALSE(two_lanes.Push(Make(calm, alone), now));
  EXPECT_EQ(two_lanes.PredictedWait(idle), 0ms);
  EXPECT_EQ(two_lanes.PredictedWait(calm), 1ms);     // the busy one has every other turn
  EXPECT_EQ(two_lanes.PredictedWait(busy), 10.5ms);  // all that is queued
}

TEST_F(FairQueueTest, HandsBackWhatHasExpired) {
  const QueueOptions line;
  LaneJob& endless = Push(line, alone);
  WaitingJob& late = Make(line, alone).WithDeadline(now + 30ms);
  WaitingJob& soon = Make(line, alone).WithDeadline(now + 20ms);
  ASSERT_FALSE(queue.Push(late, now));
  ASSERT_FALSE(queue.Push(soon, now));
  EXPECT_TRUE(queue.TakeExpired(now).empty());
  now += 20ms;
  EXPECT_EQ(queue.TakeExpired(now), std::vector<LaneJob*>{&soon});
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&endless});
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&late});
  now += 20ms;
  EXPECT_TRUE(queue.TakeExpired(now).empty());  // it was handed out before
}

TEST_F(FairQueueTest, HandsBackWhatWasCancelled) {
  BatchFamily family(false, 1, 1ms);
  QueueOptions line, other;
  Push(line, family);
  WaitingJob& second = Push(line, family).Cancel();
  WaitingJob& third = Push(line, family).WithPriority(2).Cancel();
  Push(other, family).Cancel();
  EXPECT_EQ(queue.TakeCancelled(line, now), (std::vector<LaneJob*>{&second, &third}));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(Pop().size(), 1u);
  // Not again within 10 ms.
  WaitingJob& late = Push(line, family).Cancel();
  EXPECT_TRUE(queue.TakeCancelled(line, now + 9ms).empty());
  EXPECT_EQ(queue.TakeCancelled(line, now + 10ms), (std::vector<LaneJob*>{&late}));
}

TEST_F(FairQueueTest, PrioritiesGoBeforeArrival) {
  const QueueOptions line{.priority_levels = 3};
  WaitingJob& low = Make(line, alone).WithPriority(3);
  WaitingJob& middle = Make(line, alone).WithPriority(2);
  WaitingJob& high = Make(line, alone).WithPriority(1);
  for (WaitingJob* job : {&low, &middle, &high}) ASSERT_FALSE(queue.Push(*job, now));
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&high});
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&middle});
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&low});
}

TEST_F(FairQueueTest, LinesShareTheLanesTimeWhateverTheirJobsTake) {
  const QueueOptions heavy, light;
  BatchFamily large(false, 1, 40ms), small(false, 1, 100us);
  std::map<LaneJob*, nanoseconds> taken;
  for (int i = 0; i < 50; ++i) taken[&Push(heavy, large)] = 40ms;
  for (int i = 0; i < 900; ++i) taken[&Push(light, small)] = 1ms;  // ten times what is predicted
  const auto got = Serve(800ms, taken);
  EXPECT_NEAR(static_cast<double>(got.at(&heavy).count()) / 1e6, 400, 40);
  EXPECT_NEAR(static_cast<double>(got.at(&light).count()) / 1e6, 400, 40);
}

TEST_F(FairQueueTest, ABiggerShareGetsMore) {
  const QueueOptions one, three{.share = 3};
  std::map<LaneJob*, nanoseconds> taken;
  for (const QueueOptions* line : {&one, &three}) {
    for (int i = 0; i < 400; ++i) taken[&Push(*line, alone)] = 1ms;
  }
  const auto got = Serve(400ms, taken);
  EXPECT_NEAR(static_cast<double>(got.at(&three).count()) / 1e6, 300, 4);
}

TEST_F(FairQueueTest, WhoComesAfterAWhileHasNoCreditForIt) {
  const QueueOptions busy, late;
  std::map<LaneJob*, nanoseconds> taken;
  for (int i = 0; i < 600; ++i) taken[&Push(busy, alone)] = 1ms;
  Serve(400ms, taken);
  for (int i = 0; i < 600; ++i) taken[&Push(late, alone)] = 1ms;
  const auto got = Serve(100ms, taken);
  EXPECT_NEAR(static_cast<double>(got.at(&late).count()) / 1e6, 50, 2);
}

TEST_F(FairQueueTest, WhoHadMuchWaitsAlsoWhenItsLineWasEmptyMeanwhile) {
  const QueueOptions heavy, light;
  BatchFamily large(false, 1, 40ms);
  std::map<LaneJob*, nanoseconds> taken;
  for (int i = 0; i < 200; ++i) taken[&Push(light, alone)] = 1ms;
  // One client that sends its next request when it has the answer to the last one.
  nanoseconds heavy_got{0}, light_got{0};
  for (int round = 0; round < 3; ++round) {
    LaneJob* job = &Push(heavy, large);
    taken[job] = 40ms;
    while (true) {
      const auto batch = queue.Pop(now);
      ASSERT_TRUE(batch);
      const nanoseconds time = taken.at(batch->jobs.front());
      queue.Finish(*batch, time);
      now += time;
      (batch->line == &heavy ? heavy_got : light_got) += time;
      if (batch->line == &heavy) break;
    }
  }
  EXPECT_EQ(heavy_got, 120ms);
  EXPECT_NEAR(static_cast<double>(light_got.count()) / 1e6, 80, 2);
}

TEST_F(FairQueueTest, RunsTogetherWhatIsOfOneFamily) {
  const QueueOptions line;
  BatchFamily other(true, 16, 100us);
  LaneJob& first = Push(line, batched);
  LaneJob& second = Push(line, batched);
  LaneJob& stranger = Push(line, other);
  LaneJob& third = Push(line, batched);
  auto batch = queue.Pop(now);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->jobs, (std::vector<LaneJob*>{&first, &second, &third}));
  EXPECT_EQ(batch->items, 3);
  EXPECT_EQ(batch->predicted, 300us);
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&stranger});
}

TEST_F(FairQueueTest, ItemsThatDependOnEachOtherAreNeverJoined) {
  const QueueOptions line{.max_batch_size = 64};
  Push(3, line, alone);
  EXPECT_EQ(Pop().size(), 1u);
}

TEST_F(FairQueueTest, ABatchHasAsManyItemsAsGainOrAsTheOptionsSay) {
  const QueueOptions automatic, four{.max_batch_size = 4}, none{.max_batch_size = 1};
  BatchFamily endless(true, 1000, 1us);
  for (const QueueOptions* line : {&automatic, &four, &none}) Push(100, *line, endless);
  std::map<const QueueOptions*, size_t> first;
  for (int i = 0; i < 3; ++i) {
    const auto batch = queue.Pop(now);
    first[batch->line] = batch->jobs.size();
  }
  EXPECT_EQ(first[&automatic], 32u);
  EXPECT_EQ(first[&four], 4u);
  EXPECT_EQ(first[&none], 1u);
  const QueueOptions gains;
  Push(100, gains, batched);
  FairQueue fresh(1);
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(fresh.Push(Make(gains, batched), now));
  EXPECT_EQ(fresh.Pop(now)->jobs.size(), 16u);
}

TEST_F(FairQueueTest, ABatchThatTakesLongIsNotMadeLonger) {
  const QueueOptions automatic, sixteen{.max_batch_size = 16};
  BatchFamily slow(true, 1000, 22ms);
  Push(20, automatic, slow);
  EXPECT_EQ(Pop().size(), 4u);  // some 100 ms
  Push(20, sixteen, slow);
  EXPECT_EQ(Pop().size(), 16u);  // as it is said
}

TEST_F(FairQueueTest, RequestsOfSeveralItemsAreJoinedWhereTheyFit) {
  const QueueOptions line;
  LaneJob& first = Make(line, batched).WithItems(7);
  LaneJob& large = Make(line, batched).WithItems(10);
  LaneJob& second = Make(line, batched).WithItems(7);
  for (LaneJob* job : {&first, &large, &second}) ASSERT_FALSE(queue.Push(*job, now));
  EXPECT_EQ(Pop(), (std::vector<LaneJob*>{&first, &second}));
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&large});
}

TEST_F(FairQueueTest, BatchesHaveRoundSizes) {
  const QueueOptions line;
  Push(11, line, batched);
  EXPECT_EQ(Pop().size(), 10u);
  EXPECT_EQ(Pop().size(), 1u);
}

TEST_F(FairQueueTest, WithADelayAJobWaitsForOthersUntilThereAreEnough) {
  const QueueOptions line{.max_batch_size = 4, .max_batch_delay = 500us};
  Push(3, line, batched);
  EXPECT_TRUE(Pop().empty());
  EXPECT_EQ(queue.ReadyAt(), now + 500us);
  Push(line, batched);
  EXPECT_EQ(Pop().size(), 4u);
  EXPECT_FALSE(queue.ReadyAt());
}

TEST_F(FairQueueTest, WithADelayAJobIsRunWhenItHasPassed) {
  const QueueOptions line{.max_batch_size = 4, .max_batch_delay = 500us};
  const QueueOptions other;
  Push(line, batched);
  now += 499us;
  LaneJob& prompt = Push(other, alone);
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&prompt});  // others are not kept back
  EXPECT_TRUE(Pop().empty());
  now += 1us;
  EXPECT_EQ(Pop().size(), 1u);
}

TEST_F(FairQueueTest, ADelayEndsBeforeTheDeadlinesOfThoseBehindItDo) {
  const QueueOptions line{.max_batch_size = 4, .max_batch_delay = 1s};
  WaitingJob& first = Push(line, batched);
  WaitingJob& second = Make(line, batched).WithDeadline(now + 10ms);
  ASSERT_FALSE(queue.Push(second, now));
  EXPECT_EQ(queue.ReadyAt(), now + 10ms - 100us);
  WaitingJob& other = Make(line, alone).WithDeadline(now + 5ms);  // needs no others
  ASSERT_FALSE(queue.Push(other, now));
  EXPECT_EQ(queue.ReadyAt(), now + 5ms - 1ms);
  now += 4ms;
  EXPECT_EQ(Pop(), (std::vector<LaneJob*>{&first, &second}));
  EXPECT_EQ(Pop(), std::vector<LaneJob*>{&other});
}

TEST_F(FairQueueTest, ADelayEndsBeforeTheDeadlineDoes) {
  const QueueOptions line{.max_batch_size = 4, .max_batch_delay = 500us};
  ASSERT_FALSE(queue.Push(Make(line, batched).WithDeadline(now + 300us), now));
  EXPECT_EQ(queue.ReadyAt(), now + 200us);  // it takes 100
}

TEST_F(FairQueueTest, ForgetsLinesThatAreGone) {
  for (int i = 0; i < 1000; ++i) {
    const auto line = std::make_unique<QueueOptions>();
    Push(*line, alone);
    const auto batch = queue.Pop(now);
    ASSERT_TRUE(batch);
    queue.Finish(*batch, 1ms);
  }
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(FairQueueTest, TakesAllThatIsLeft) {
  const QueueOptions line, other;
  Push(3, line, alone);
  Push(2, other, batched);
  EXPECT_EQ(queue.TakeAll().size(), 5u);
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_TRUE(Pop().empty());
}

TEST(BatchSize, HasThreeSignificantBits) {
  std::vector<int64_t> sizes;
  for (int64_t items = 1; items <= 40; ++items) {
    if (RoundBatchSize(items) == items) sizes.push_back(items);
  }
  EXPECT_EQ(sizes,
            (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40}));
  EXPECT_EQ(RoundBatchSize(63), 56);
}

}  // namespace
}  // namespace lazynet::scheduling
