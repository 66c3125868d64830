#pragma once

#include <grpc/support/time.h>

#include <chrono>

namespace lazynet::server {

// The same moment for gRPC, whose monotonic clock is the same: the system's may be set at any time.
// The clock's last moment is gRPC's never.
inline gpr_timespec ToGrpc(std::chrono::steady_clock::time_point time) {
  const std::chrono::nanoseconds since = time.time_since_epoch();
  return gpr_time_from_nanos(since.count(), GPR_CLOCK_MONOTONIC);
}

}  // namespace lazynet::server
