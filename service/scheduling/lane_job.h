#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "engine/plan/batch_family.h"
#include "engine/plan/workspace.h"
#include "service/hosting/queue_options.h"

namespace lazynet::scheduling {

// A piece of work for a lane. Queue and lanes never own it: after exactly one of the last two calls
// it is the job's own to end.
class LaneJob {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  virtual ~LaneJob() = default;

  // How it waits. Jobs that return the same object stand in one line.
  virtual const hosting::QueueOptions& queue() const = 0;

  // 1 is the first to be run of its line.
  virtual int64_t priority() const { return 1; }

  // Past this moment the job is not run any more.
  virtual Time deadline() const { return Time::max(); }

  // Whether nobody waits for it any more; it is not run then.
  virtual bool cancelled() const { return false; }

  // Whether it gains from threads beyond one.
  virtual bool runs_wide() const { return false; }

  // What it is of: jobs of one line and one family are run together, if that is independent.
  virtual plan::BatchFamily& family() const = 0;
  virtual int64_t items() const { return 1; }  // >= 1

  // What it takes, on one thread.
  std::chrono::nanoseconds predicted() const { return family().item_time() * items(); }

  // Computes, on a lane's thread, with its workspace and so many threads: 1, or all that there are.
  // `batch` begins with this job, and is run and ended with it. Tells the family what it took.
  virtual void Run(std::span<LaneJob* const> batch, plan::Workspace& workspace, int threads) = 0;

  // Ends the job without running it: its deadline passed while it waited (DEADLINE_EXCEEDED), it
  // was cancelled (CANCELLED), or the lanes stop (UNAVAILABLE).
  virtual void Refuse(const absl::Status& status) = 0;
};

}  // namespace lazynet::scheduling
