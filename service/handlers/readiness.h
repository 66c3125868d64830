#pragma once

#include <atomic>

namespace lazynet::handlers {

// Whether the server takes requests; false until it listens and from the start of a drain. Safe for
// use by many threads.
class Readiness {
 public:
  bool ready() const { return ready_.load(std::memory_order_relaxed); }
  void Set(bool ready) { ready_.store(ready, std::memory_order_relaxed); }

 private:
  std::atomic<bool> ready_{false};
};

}  // namespace lazynet::handlers
