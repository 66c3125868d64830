#pragma once

#include <chrono>
#include <string>

#include "engine/core/status.h"

namespace lazynet::cli {

// The body of http://<address><path>, where `address` is host:port, with [] around an IPv6 one. Of
// at most 1 GiB, all within the time; 0 is no limit.
//   INVALID_ARGUMENT: not an address
//   UNAVAILABLE: nobody answers there, or not in time, or not to the end
//   INTERNAL: what answers is no HTTP, or not status 200
absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path,
                                    std::chrono::milliseconds timeout);

}  // namespace lazynet::cli
