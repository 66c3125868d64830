#include "service/scheduling/lanes.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "engine/backend/threads.h"

namespace lazynet::scheduling {
namespace {

// Threads that talk to clients go first: a refusal is to come at once while all processors compute.
constexpr int kNiceness = 5;

void RefuseAll(const std::vector<LaneJob*>& jobs, const absl::Status& status) {
  for (LaneJob* job : jobs) job->Refuse(status);
}

void RefuseExpired(const std::vector<LaneJob*>& jobs) {
  if (jobs.empty()) return;
  RefuseAll(jobs, absl::DeadlineExceededError("the deadline passed in the queue"));
}

absl::Status Cancelled() { return absl::CancelledError("the client cancelled the call"); }

// Ends what was cancelled, and takes it out of the batch.
void RefuseCancelled(FairQueue::Batch& batch) {
  std::erase_if(batch.jobs, [&](LaneJob* job) {
    if (!job->cancelled()) return false;
    batch.items -= job->items();
    job->Refuse(Cancelled());
    return true;
  });
}

}  // namespace

Lanes::Lanes(size_t count, LaneObservers observers, std::chrono::nanoseconds rest)
    : observers_(std::move(observers)), count_(count), rest_(rest), queue_(count) {
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
  const absl::Status stopped = absl::UnavailableError("the server stops");
  if (wide_batch_) RefuseAll(wide_batch_->jobs, stopped);
  RefuseAll(queue_.TakeAll(), stopped);
}

std::optional<Refusal> Lanes::Submit(LaneJob& job) {
  std::vector<LaneJob*> expired;
  std::vector<LaneJob*> cancelled;
  std::optional<Refusal> refusal;
  {
    const std::lock_guard lock(mutex_);
    const LaneJob::Time now = LaneJob::Clock::now();
    expired = queue_.TakeExpired(now);
    refusal = stopping_ ? Refusal{"draining", absl::UnavailableError("the server stops")}
                        : queue_.Push(job, now);
    if (refusal && !stopping_) cancelled = queue_.TakeCancelled(job.queue(), now);
    if (!cancelled.empty()) refusal = queue_.Push(job, now);
    TellDepth();
  }
  if (!refusal) work_.notify_one();
  RefuseExpired(expired);
  if (!cancelled.empty()) RefuseAll(cancelled, Cancelled());
  return refusal;
}

bool Lanes::RunNow(LaneJob& job, plan::Workspace& workspace) {
  const LaneJob::Time deadline = job.deadline();
  if (deadline != LaneJob::Time::max() && deadline <= LaneJob::Clock::now()) return false;
  if (job.cancelled()) return false;
  backend::SetKernelThreads(1);
  const size_t before = workspace.bytes();
  LaneJob* const jobs[] = {&job};
  job.Run(jobs, workspace, 1);
  if (workspace.bytes() == before) return true;
  const std::lock_guard lock(mutex_);
  AddWorkspaceBytes(static_cast<int64_t>(workspace.bytes() - before));
  return true;
}

bool Lanes::RunHere(std::vector<LaneJob*>& jobs, plan::Workspace& workspace) {
  backend::SetKernelThreads(1);
  // The queue is empty before and after: what others submit meanwhile is for the lanes.
  std::vector<Batch> batches;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !IsIdle()) return false;
    const LaneJob::Time now = LaneJob::Clock::now();
    std::erase_if(jobs,
                  [&](LaneJob* job) { return job->deadline() > now && !queue_.Push(*job, now); });
    while (std::optional<Batch> batch = queue_.Pop(now)) batches.push_back(*std::move(batch));
  }
  for (Batch& batch : batches) Run(std::move(batch), workspace, 1);
  return jobs.empty();
}

bool Lanes::AreIdle() const {
  const std::lock_guard lock(mutex_);
  return IsIdle();
}

void Lanes::TellDepth() {
  if (queue_.size() == std::exchange(told_depth_, queue_.size())) return;
  if (observers_.queue_depth != nullptr) observers_.queue_depth(queue_.size());
}

size_t Lanes::queue_depth() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool Lanes::IsIdle() const { return idle_ == count_ && !wide_ && queue_.size() == 0; }

bool Lanes::MayRunWide(const Batch& batch) const {
  return count_ > 1 && queue_.size() == 0 && idle_ + 1 == count_ && batch.jobs.size() == 1 &&
         batch.jobs.front()->runs_wide();
}

void Lanes::Run(Batch batch, plan::Workspace& workspace, int threads) {
  RefuseCancelled(batch);
  const size_t before = workspace.bytes();
  std::chrono::nanoseconds time{0};
  if (!batch.jobs.empty()) {
    LaneJob& first = *batch.jobs.front();
    const auto start = LaneJob::Clock::now();
    first.Run(batch.jobs, workspace, threads);
    time = (LaneJob::Clock::now() - start) * threads;
  }
  // What it was too small with: malloc would keep that memory.
  if (workspace.bytes() != before) malloc_trim(0);
  const std::lock_guard lock(mutex_);
  last_work_ = LaneJob::Clock::now();
  queue_.Finish(batch, time);
  if (workspace.bytes() == before) return;
  AddWorkspaceBytes(static_cast<int64_t>(workspace.bytes() - before));
}

void Lanes::GiveBack(plan::Workspace& workspace) {
  const auto bytes = static_cast<int64_t>(workspace.bytes());
  workspace = plan::Workspace();
  malloc_trim(0);
  const std::lock_guard lock(mutex_);
  AddWorkspaceBytes(-bytes);
}

void Lanes::AddWorkspaceBytes(int64_t bytes) {
  workspace_bytes_ += static_cast<size_t>(bytes);
  if (observers_.workspace_bytes != nullptr) observers_.workspace_bytes(workspace_bytes_);
}

// Returns when there is something to do; nothing when the lanes stop.
std::optional<Lanes::Turn> Lanes::WaitForTurn(bool may_rest) {
  Turn turn;
  std::optional<Batch> batch;
  std::unique_lock lock(mutex_);
  ++idle_;
  while (!stopping_) {
    std::optional<LaneJob::Time> until;
    const LaneJob::Time now = LaneJob::Clock::now();
    if (!wide_) {
      turn.expired = queue_.TakeExpired(now);
      batch = queue_.Pop(now);
      if (batch || !turn.expired.empty()) break;
      until = queue_.ReadyAt();
    }
    if (may_rest && !until && !wide_) {
      until = last_work_ + rest_;
      turn.rests = *until <= now;
      if (turn.rests) break;
    }
    if (until) {
      work_.wait_until(lock, *until);
    } else {
      work_.wait(lock);
    }
  }
  --idle_;
  TellDepth();
  // Who it woke may have been the one that waited for a moment of those that are left.
  if (batch && queue_.size() > 0 && idle_ > 0) work_.notify_one();
  if (batch && MayRunWide(*batch)) {
    wide_batch_ = std::exchange(batch, Batch());
    wide_ = true;
    wide_work_.notify_one();
  }
  if (stopping_) return std::nullopt;
  if (batch) turn.batch = *std::move(batch);
  return turn;
}

void Lanes::Serve() {
  setpriority(PRIO_PROCESS, 0, kNiceness);
  backend::SetKernelThreads(1);
  plan::Workspace workspace;
  while (std::optional<Turn> turn = WaitForTurn(workspace.bytes() > 0)) {
    RefuseExpired(turn->expired);
    if (turn->rests) GiveBack(workspace);
    if (!turn->batch.jobs.empty()) Run(std::move(turn->batch), workspace, 1);
  }
}

void Lanes::ServeWide() {
  setpriority(PRIO_PROCESS, 0, kNiceness);
  plan::Workspace workspace;
  while (true) {
    std::optional<Batch> batch;
    {
      std::unique_lock lock(mutex_);
      const auto has_work = [this] { return stopping_ || wide_batch_; };
      if (workspace.bytes() > 0) {
        wide_work_.wait_for(lock, rest_, has_work);
      } else {
        wide_work_.wait(lock, has_work);
      }
      if (stopping_) return;
      batch = std::exchange(wide_batch_, std::nullopt);
    }
    if (!batch) {
      GiveBack(workspace);
      continue;
    }
    Run(*std::move(batch), workspace, static_cast<int>(count_));
    {
      const std::lock_guard lock(mutex_);
      wide_ = false;
    }
    work_.notify_all();
  }
}

}  // namespace lazynet::scheduling
