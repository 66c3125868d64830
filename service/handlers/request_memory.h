#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"

namespace lazynet::handlers {

// What requests that wait hold beyond their messages as they came, which gRPC counts itself: what
// was inflated, and numbers that were parsed. Safe for use by many threads.
class RequestMemory {
 public:
  explicit RequestMemory(size_t limit) : limit_(limit) {}

  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }

  // What one request holds, given back when this ends.
  class Share {
   public:
    explicit Share(RequestMemory& memory) : memory_(memory) {}
    ~Share() { GiveBack(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // RESOURCE_EXHAUSTED, with a time to try again and nothing taken, when all requests together
    // would hold more than the limit.
    absl::Status Take(size_t bytes);

    // All of it, before the end.
    void GiveBack() {
      memory_.used_.fetch_sub(std::exchange(bytes_, 0), std::memory_order_relaxed);
    }

   private:
    RequestMemory& memory_;
    size_t bytes_ = 0;
  };

 private:
  const size_t limit_;
  std::atomic<size_t> used_{0};
};

}  // namespace lazynet::handlers
