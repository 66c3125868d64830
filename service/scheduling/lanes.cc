#include "service/scheduling/lanes.h"

#include <utility>

#include "engine/backend/threads.h"

namespace lazynet::scheduling {

Lanes::Lanes(size_t count, size_t queue_capacity, DepthObserver observer)
    : queue_capacity_(queue_capacity), observer_(std::move(observer)) {
  for (size_t i = 0; i < count; ++i) threads_.emplace_back([this] { Serve(); });
}

Lanes::~Lanes() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (LaneJob* job : queue_) job->Refuse(absl::UnavailableError("the server stops"));
}

bool Lanes::Submit(LaneJob& job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queue_capacity_) return false;
    queue_.push_back(&job);
    TellDepth();
  }
  work_.notify_one();
  return true;
}

void Lanes::TellDepth() const {
  if (observer_ != nullptr) observer_(queue_.size());
}

size_t Lanes::queue_depth() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Lanes::Serve() {
  backend::SetKernelThreads(1);
  plan::Workspace workspace;
  while (true) {
    LaneJob* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = queue_.front();
      queue_.pop_front();
      TellDepth();
    }
    if (job->deadline() <= LaneJob::Clock::now()) {
      job->Refuse(absl::DeadlineExceededError("the deadline passed in the queue"));
    } else {
      job->Run(workspace);
    }
  }
}

}  // namespace lazynet::scheduling
