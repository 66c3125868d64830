#pragma once

#include <atomic>
#include <cstdint>

namespace lazynet::handlers {

// How many calls are in flight whose ends a server that stops waits for. Safe for use by many
// threads.
class CallsInFlight {
 public:
  void Add() { count_.fetch_add(1, std::memory_order_relaxed); }
  void Remove() { count_.fetch_sub(1, std::memory_order_release); }

  int64_t count() const { return count_.load(std::memory_order_acquire); }

 private:
  std::atomic<int64_t> count_ = 0;
};

}  // namespace lazynet::handlers
