#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace lazynet::logging {

// Lets some lines of a kind through: a burst, then so many a second. Thread-safe.
class LineLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  LineLimiter(double burst, double per_second)
      : burst_(burst), per_second_(per_second), available_(burst) {}

  // Whether a line may be written at this time: then how many were not since the last that was,
  // else nothing.
  std::optional<uint64_t> Take(Time now);

 private:
  const double burst_;
  const double per_second_;
  std::mutex mutex_;  // guards all below
  double available_;
  std::optional<Time> last_;
  uint64_t dropped_ = 0;
};

}  // namespace lazynet::logging
