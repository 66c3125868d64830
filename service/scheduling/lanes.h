#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "service/scheduling/fair_queue.h"
#include "service/scheduling/lane_job.h"

namespace lazynet::scheduling {

// Told how many wait, whenever that changes; called from several threads, one at a time.
using DepthObserver = std::function<void(size_t)>;

struct LaneObservers {
  DepthObserver queue_depth;
  std::function<void(size_t)> workspace_bytes;  // of all lanes, after one changed; as above
};

// The serving threads. Each has one OpenMP thread and a workspace of its own, and takes from one
// FairQueue what is to be run next. A job that gains from more threads, and comes when all lanes
// are idle, has as many threads as there are lanes, which wait until it is done: no more threads
// compute at a time than there are lanes. Submit may be called from any thread.
class Lanes {
 public:
  // When no lane had anything to do for as long as `rest`, they give their workspaces back.
  Lanes(size_t count, LaneObservers observers,
        std::chrono::nanoseconds rest = std::chrono::seconds(10));

  // Refuses what still waits and joins the threads.
  ~Lanes();

  // Takes a job, or says why not; the job is then untouched. Jobs whose deadlines have passed, and
  // cancelled ones, may be refused meanwhile, on the calling thread.
  std::optional<Refusal> Submit(LaneJob& job);

  // For what takes less time than to wake a lane: both run jobs on the calling thread, with a
  // workspace of its own.
  //
  // Whatever waits. False, with the job untouched, if it is not to be run any more.
  bool RunNow(LaneJob& job, plan::Workspace& workspace);

  // If all lanes are idle, those together that can be; none of them waits for others to be run
  // with. False if jobs are left, untouched, that have to be submitted.
  bool RunHere(std::vector<LaneJob*>& jobs, plan::Workspace& workspace);

  size_t count() const { return count_; }
  size_t queue_depth() const;
  bool AreIdle() const;  // whether all wait for a job

 private:
  using Batch = FairQueue::Batch;

  // What a lane is to do.
  struct Turn {
    Batch batch;
    std::vector<LaneJob*> expired;  // to be refused
    bool rests = false;             // there was nothing to do for long
  };

  void Serve();
  void ServeWide();
  std::optional<Turn> WaitForTurn(bool may_rest);
  bool IsIdle() const;  // with mutex_ held, as the next three
  bool MayRunWide(const Batch& batch) const;
  void TellDepth();
  void AddWorkspaceBytes(int64_t bytes);
  void Run(Batch batch, plan::Workspace& workspace, int threads);
  void GiveBack(plan::Workspace& workspace);

  const LaneObservers observers_;
  const size_t count_;
  const std::chrono::nanoseconds rest_;
  mutable std::mutex mutex_;  // guards all below but the threads
  std::condition_variable work_;
  FairQueue queue_;
  size_t idle_ = 0;                                 // lanes that wait for a job
  LaneJob::Time last_work_ = LaneJob::Time::min();  // when a lane last ended a batch
  size_t workspace_bytes_ = 0;
  size_t told_depth_ = 0;
  bool stopping_ = false;

  // One thread runs all wide jobs, so that there is one team of OpenMP threads for them.
  std::condition_variable wide_work_;
  std::optional<Batch> wide_batch_;  // handed over, not begun yet
  bool wide_ = false;                // one was handed over and is not done

  std::vector<std::thread> threads_;
};

}  // namespace lazynet::scheduling
