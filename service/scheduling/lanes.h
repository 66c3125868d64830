#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/plan/workspace.h"

namespace lazynet::scheduling {

// A piece of work for a lane. The lanes never own it: after exactly one of the calls below it is
// the job's own to end.
class LaneJob {
 public:
  using Clock = std::chrono::system_clock;  // as gRPC's deadlines

  virtual ~LaneJob() = default;

  // Past this moment the job is not run any more.
  virtual Clock::time_point deadline() const = 0;

  // Whether nobody waits for it any more; it is not run then.
  virtual bool cancelled() const { return false; }

  // Whether it gains from threads beyond one.
  virtual bool runs_wide() const { return false; }

  // Computes, on a lane's thread, with its workspace and so many threads: 1, or all that there are.
  virtual void Run(plan::Workspace& workspace, int threads) = 0;

  // Ends the job without running it: its deadline passed while it waited (DEADLINE_EXCEEDED), it
  // was cancelled (CANCELLED), or the lanes stop (UNAVAILABLE).
  virtual void Refuse(const absl::Status& status) = 0;
};

// Told how many wait, whenever that changes; called from several threads, one at a time.
using DepthObserver = std::function<void(size_t)>;

struct LaneObservers {
  DepthObserver queue_depth;
  std::function<void(size_t)> workspace_bytes;  // of all lanes, after one grew; as above
};

// The serving threads. Each has one OpenMP thread and a workspace of its own, and takes the oldest
// job of one bounded queue. A job that gains from more threads, and comes when all lanes are idle,
// has as many threads as there are lanes, which wait until it is done: no more threads compute at a
// time than there are lanes. Submit may be called from any thread.
class Lanes {
 public:
  Lanes(size_t count, size_t queue_capacity, LaneObservers observers);

  // Refuses what still waits and joins the threads.
  ~Lanes();

  // False when the queue is full; the job is then untouched.
  bool Submit(LaneJob& job);

  size_t count() const { return count_; }
  size_t queue_capacity() const { return queue_capacity_; }
  size_t queue_depth() const;
  size_t idle() const;  // lanes that wait for a job

  // About how long a job that is submitted now would wait: what is queued, each taking as long as
  // jobs took of late.
  std::chrono::nanoseconds PredictedWait() const;

 private:
  void Serve();
  void ServeWide();
  bool MayRunWide(const LaneJob& job) const;  // with mutex_ held, as the next function
  void TellDepth() const;
  void RunOrRefuse(LaneJob& job, plan::Workspace& workspace, int threads);

  const size_t queue_capacity_;
  const LaneObservers observers_;
  const size_t count_;
  std::atomic<std::chrono::nanoseconds> mean_run_{std::chrono::nanoseconds(0)};  // of late
  mutable std::mutex mutex_;  // guards all below but the threads
  std::condition_variable work_;
  std::deque<LaneJob*> queue_;
  size_t idle_ = 0;  // lanes that wait for a job
  size_t workspace_bytes_ = 0;
  bool stopping_ = false;

  // One thread runs all wide jobs, so that there is one team of OpenMP threads for them.
  std::condition_variable wide_work_;
  LaneJob* wide_job_ = nullptr;  // handed over, not begun yet
  bool wide_ = false;            // one was handed over and is not done

  std::vector<std::thread> threads_;
};

}  // namespace lazynet::scheduling
