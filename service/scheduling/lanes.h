#pragma once

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

  // Computes, on a lane's thread, with its workspace.
  virtual void Run(plan::Workspace& workspace) = 0;

  // Ends the job without running it: its deadline passed while it waited (DEADLINE_EXCEEDED), or
  // the lanes stop (UNAVAILABLE).
  virtual void Refuse(const absl::Status& status) = 0;
};

// Told how many wait, whenever that changes; called from several threads, one at a time.
using DepthObserver = std::function<void(size_t)>;

// The serving threads. Each has one OpenMP thread and a workspace of its own, and takes the oldest
// job of one bounded queue. Submit may be called from any thread.
class Lanes {
 public:
  Lanes(size_t count, size_t queue_capacity, DepthObserver observer = nullptr);

  // Refuses what still waits and joins the threads.
  ~Lanes();

  // False when the queue is full; the job is then untouched.
  bool Submit(LaneJob& job);

  size_t count() const { return threads_.size(); }
  size_t queue_capacity() const { return queue_capacity_; }
  size_t queue_depth() const;

 private:
  void Serve();
  void TellDepth() const;  // with mutex_ held

  const size_t queue_capacity_;
  const DepthObserver observer_;
  mutable std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable work_;
  std::deque<LaneJob*> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lazynet::scheduling
