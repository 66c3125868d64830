#pragma once

#include "engine/plan/workspace.h"
#include "service/handlers/infer_job.h"
#include "service/scheduling/lanes.h"

namespace lazynet::handlers {

// What a poller computes itself: jobs so small that to hand them to a lane, and to wake that, takes
// longer. Of one thread, which makes it and uses it.
//
// Tiny jobs are run at once. Small ones are kept until the poller knows whether it has something
// else to do: if not they are run, otherwise they go to the lanes.
class PollerLane {
 public:
  explicit PollerLane(scheduling::Lanes& lanes);
  ~PollerLane();
  PollerLane(const PollerLane&) = delete;
  PollerLane& operator=(const PollerLane&) = delete;

  // Null on threads that poll nothing.
  static PollerLane* OfThisThread();

  // Runs a job, or keeps it; false if it is none for this. Nothing is kept yet.
  bool Take(InferJob& job);

  bool keeps() const { return kept_ != nullptr; }
  void RunKept();
  void HandOverKept();

 private:
  scheduling::Lanes& lanes_;
  plan::Workspace workspace_;
  InferJob* kept_ = nullptr;
};

}  // namespace lazynet::handlers
