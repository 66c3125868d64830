#pragma once

#include "absl/status/statusor.h"
#include "service/hosting/hosted_network.h"
#include "service/scheduling/lane_job.h"

namespace lazynet::scheduling {

// Who waits for a build lane. Never owned: after Built it is its own to end.
class BuildWaiter {
 public:
  virtual ~BuildWaiter() = default;

  // Past this moment, or when it was cancelled, nothing is built on its behalf.
  virtual LaneJob::Time deadline() const { return LaneJob::Time::max(); }
  virtual bool cancelled() const { return false; }

  // The executable, or why there is none: what Prepare says, DEADLINE_EXCEEDED or CANCELLED if that
  // was so before its turn, or UNAVAILABLE if the lane stops.
  virtual void Built(const absl::StatusOr<hosting::Executable>& outcome) = 0;
};

}  // namespace lazynet::scheduling
