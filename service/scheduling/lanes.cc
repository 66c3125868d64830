#include "service/scheduling/lanes.h"

#include <utility>

#include "engine/backend/threads.h"

namespace lazynet::scheduling {
namespace {

void RunOrRefuse(LaneJob& job, plan::Workspace& workspace, int threads) {
  if (job.deadline() <= LaneJob::Clock::now()) {
    job.Refuse(absl::DeadlineExceededError("the deadline passed in the queue"));
  } else {
    job.Run(workspace, threads);
  }
}

}  // namespace

Lanes::Lanes(size_t count, size_t queue_capacity, DepthObserver observer)
    : queue_capacity_(queue_capacity), observer_(std::move(observer)), count_(count) {
  for (size_t i = 0; i < count; ++i) threads_.emplace_back([this] { Serve(); });
  if (count > 1) threads_.emplace_back([this] { ServeWide(); });
}

Lanes::~Lanes() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  wide_work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  if (wide_job_ != nullptr) queue_.push_front(wide_job_);
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

size_t Lanes::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_;
}

void Lanes::TellDepth() const {
  if (observer_ != nullptr) observer_(queue_.size());
}

size_t Lanes::queue_depth() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool Lanes::MayRunWide(const LaneJob& job) const {
  return count_ > 1 && queue_.empty() && idle_ + 1 == count_ && job.runs_wide();
}

void Lanes::Serve() {
  backend::SetKernelThreads(1);
  plan::Workspace workspace;
  while (true) {
    LaneJob* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      ++idle_;
      work_.wait(lock, [this] { return stopping_ || (!wide_ && !queue_.empty()); });
      --idle_;
      if (stopping_) return;
      job = queue_.front();
      queue_.pop_front();
      TellDepth();
      if (MayRunWide(*job)) {
        wide_job_ = job;
        wide_ = true;
        wide_work_.notify_one();
        continue;
      }
    }
    RunOrRefuse(*job, workspace, 1);
  }
}

void Lanes::ServeWide() {
  plan::Workspace workspace;
  while (true) {
    LaneJob* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      wide_work_.wait(lock, [this] { return stopping_ || wide_job_ != nullptr; });
      if (stopping_) return;
      job = std::exchange(wide_job_, nullptr);
    }
    RunOrRefuse(*job, workspace, static_cast<int>(count_));
    {
      const std::lock_guard lock(mutex_);
      wide_ = false;
    }
    work_.notify_all();
  }
}

}  // namespace lazynet::scheduling
