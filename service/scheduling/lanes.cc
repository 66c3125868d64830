#include "service/scheduling/lanes.h"

#include <malloc.h>

#include <utility>

#include "engine/backend/threads.h"

namespace lazynet::scheduling {
namespace {

// A run counts for one in so many in the mean.
constexpr int64_t kRunsOfLate = 16;

}  // namespace

Lanes::Lanes(size_t count, size_t queue_capacity, LaneObservers observers)
    : queue_capacity_(queue_capacity), observers_(std::move(observers)), count_(count) {
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
  if (observers_.queue_depth != nullptr) observers_.queue_depth(queue_.size());
}

std::chrono::nanoseconds Lanes::PredictedWait() const {
  return mean_run_.load(std::memory_order_relaxed) * static_cast<int64_t>(queue_depth()) /
         static_cast<int64_t>(count_);
}

size_t Lanes::queue_depth() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool Lanes::MayRunWide(const LaneJob& job) const {
  return count_ > 1 && queue_.empty() && idle_ + 1 == count_ && job.runs_wide();
}

void Lanes::RunOrRefuse(LaneJob& job, plan::Workspace& workspace, int threads) {
  if (job.deadline() <= LaneJob::Clock::now()) {
    job.Refuse(absl::DeadlineExceededError("the deadline passed in the queue"));
    return;
  }
  if (job.cancelled()) {
    job.Refuse(absl::CancelledError("the client cancelled the call"));
    return;
  }
  const size_t before = workspace.bytes();
  const auto start = std::chrono::steady_clock::now();
  job.Run(workspace, threads);
  const std::chrono::nanoseconds time = std::chrono::steady_clock::now() - start;
  // Two lanes at once may lose one of their runs, which a mean does not mind.
  const std::chrono::nanoseconds mean = mean_run_.load(std::memory_order_relaxed);
  mean_run_.store(mean + (time - mean) / kRunsOfLate, std::memory_order_relaxed);
  if (workspace.bytes() == before) return;
  // What it was too small with: malloc would keep that memory.
  malloc_trim(0);
  const std::lock_guard lock(mutex_);
  workspace_bytes_ += workspace.bytes() - before;
  if (observers_.workspace_bytes != nullptr) observers_.workspace_bytes(workspace_bytes_);
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
