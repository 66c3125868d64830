#include "service/logging/line_limiter.h"

#include <algorithm>
#include <utility>

namespace lazynet::logging {

std::optional<uint64_t> LineLimiter::Take(Time now) {
  const std::lock_guard lock(mutex_);
  if (last_ && now > *last_) {
    const double seconds = std::chrono::duration<double>(now - *last_).count();
    available_ = std::min(burst_, available_ + seconds * per_second_);
  }
  if (!last_ || now > *last_) last_ = now;
  if (available_ < 1) {
    ++dropped_;
    return std::nullopt;
  }
  available_ -= 1;
  return std::exchange(dropped_, 0);
}

}  // namespace lazynet::logging
