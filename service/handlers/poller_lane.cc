#include "service/handlers/poller_lane.h"

#include <utility>

namespace lazynet::handlers {
namespace {

// As measured: a lane that waits is woken, and its answer sent by the poller, in 20 to 40 us.
constexpr std::chrono::microseconds kTiny{5};
constexpr std::chrono::microseconds kSmall{100};

// Of several that are kept, each predicted as if it were run alone.
constexpr std::chrono::microseconds kTogether{600};

thread_local PollerLane* of_this_thread = nullptr;

}  // namespace

PollerLane::PollerLane(scheduling::Lanes& lanes) : lanes_(lanes) { of_this_thread = this; }

PollerLane::~PollerLane() {
  HandOverKept();
  of_this_thread = nullptr;
}

PollerLane* PollerLane::OfThisThread() { return of_this_thread; }

bool PollerLane::Take(InferJob& job) {
  // It is to wait for others.
  if (job.queue().max_batch_delay.count() > 0) return false;
  // The prediction is of computing alone.
  if (!job.IsPlain()) return false;
  const std::chrono::nanoseconds time = job.predicted();
  if (time <= kTiny) return lanes_.RunNow(job, workspace_);
  if (time > kSmall || (!keeps() && !lanes_.AreIdle())) return false;
  if (kept_time_ + time > kTogether) {
    HandOverKept();
    return false;
  }
  if (kept_.empty()) kept_since_ = InferJob::Clock::now();
  kept_.push_back(&job);
  kept_time_ += time;
  return true;
}

void PollerLane::RunKept() {
  if (!lanes_.RunHere(kept_, workspace_)) return HandOverKept();
  kept_.clear();
  kept_time_ = std::chrono::nanoseconds(0);
}

void PollerLane::HandOverIfLate() {
  if (keeps() && InferJob::Clock::now() - kept_since_ > kTogether) HandOverKept();
}

void PollerLane::HandOverKept() {
  kept_time_ = std::chrono::nanoseconds(0);
  for (scheduling::LaneJob* job : std::exchange(kept_, {})) {
    static_cast<InferJob*>(job)->SubmitToLanes();
  }
}

}  // namespace lazynet::handlers
