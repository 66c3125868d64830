#pragma once

#include <chrono>
#include <vector>

#include "engine/plan/workspace.h"
#include "service/handlers/infer_job.h"
#include "service/scheduling/lanes.h"

namespace lazynet::handlers {

// What a poller computes itself: jobs so small that to hand them to a lane, and to wake that, takes
// longer. Of one thread, which makes it and uses it.
//
// Tiny jobs are run at once. Small ones that find the lanes idle are kept until the poller has
// nothing else to do, and are then run, together where they can be; when they come to too much,
// they go to the lanes.
class PollerLane {
 public:
  explicit PollerLane(scheduling::Lanes& lanes);
  ~PollerLane();
  PollerLane(const PollerLane&) = delete;
  PollerLane& operator=(const PollerLane&) = delete;

  // Null on threads that poll nothing.
  static PollerLane* OfThisThread();

  // Runs a job, or keeps it; false if it is none for this.
  bool Take(InferJob& job);

  bool keeps() const { return !kept_.empty(); }
  void RunKept();

  // To be called between events: those kept go to the lanes when there were always others.
  void HandOverIfLate();

 private:
  void HandOverKept();

  scheduling::Lanes& lanes_;
  plan::Workspace workspace_;
  std::vector<scheduling::LaneJob*> kept_;
  std::chrono::nanoseconds kept_time_{0};  // that they are predicted to take
  InferJob::Time kept_since_;              // the first of them
};

}  // namespace lazynet::handlers
