#include "service/handlers/reading_lane.h"

#include <utility>

namespace lazynet::handlers {

ReadingLane::ReadingLane(size_t threads, size_t capacity) : capacity_(capacity) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Serve(); });
}

ReadingLane::~ReadingLane() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ReadingLane::Submit(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= capacity_) return false;
    waiting_.push_back(std::move(work));
  }
  work_.notify_one();
  return true;
}

void ReadingLane::Serve() {
  while (true) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace lazynet::handlers
