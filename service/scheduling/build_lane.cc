#include "service/scheduling/build_lane.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <optional>

namespace lazynet::scheduling {
namespace {

// A tenth of a busy processor: requests that can be computed go first.
constexpr int kNiceness = 15;

// A plan that could not be built, for want of memory, is not tried again at each request.
constexpr std::chrono::seconds kUntilTriedAgain{10};
constexpr size_t kMostRefused = 64;

// After dead waiters: a deadline is a matter of tens of milliseconds at least.
constexpr std::chrono::milliseconds kBetweenLooks{20};

size_t PackedBytes(const hosting::HostedNetwork& network) {
  const auto bound = network.bound();
  return bound == nullptr ? 0 : bound->shared.packed.bytes();
}

}  // namespace

BuildLane::BuildLane(size_t capacity, DepthObserver observer)
    : capacity_(capacity),
      observer_(std::move(observer)),
      thread_([this] { Serve(); }),
      watcher_([this] { Watch(); }) {}

BuildLane::~BuildLane() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  waiters_.notify_all();
  thread_.join();
  watcher_.join();
  const absl::Status stopped = absl::UnavailableError("the server stops");
  while (!queue_.empty()) {
    const Item item = queue_.Pop();
    if (const auto* work = std::get_if<Work>(&item)) {
      (*work)(stopped);
    } else {
      Finish(std::get<Key>(item), stopped);
    }
  }
}

bool BuildLane::Submit(std::shared_ptr<hosting::HostedNetwork> network,
                       std::vector<Shape> input_shapes, BuildWaiter& waiter) {
  const Key key(network.get(), std::move(input_shapes));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    if (const auto found = jobs_.find(key); found != jobs_.end()) {
      std::vector<BuildWaiter*>& waiters = found->second.waiters;
      if (std::ssize(waiters) >= network->queue().capacity) return false;
      waiters.push_back(&waiter);
      return true;
    }
    if (queue_.size(key.first) >= capacity_) return false;
    Job& job = jobs_[key];
    job.network = std::move(network);
    job.waiters.push_back(&waiter);
    queue_.Push(key.first, key);
    TellDepth();
  }
  work_.notify_one();
  waiters_.notify_one();
  return true;
}

bool BuildLane::Submit(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size(nullptr) >= capacity_) return false;
    queue_.Push(nullptr, std::move(work));
    TellDepth();
  }
  work_.notify_one();
  return true;
}

bool BuildLane::Addition::operator==(const Addition& other) const {
  // The same parameters, also when they are gone: others may have their address.
  return !bound.owner_before(other.bound) && !other.bound.owner_before(bound) &&
         wide == other.wide && input_shapes == other.input_shapes;
}

bool BuildLane::IsAskedFor(const Addition& addition) {
  const LaneJob::Time now = LaneJob::Clock::now();
  while (!refused_.empty() && refused_.front().until <= now) refused_.pop_front();
  return std::ranges::find(additions_, addition) != additions_.end() ||
         std::ranges::find(refused_, addition, &Refused::addition) != refused_.end();
}

void BuildLane::AddPlan(const std::shared_ptr<hosting::HostedNetwork>& network,
                        const hosting::Executable& executable, std::vector<Shape> input_shapes,
                        bool wide) {
  Addition addition{network, executable.bound, std::move(input_shapes), wide};
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || additions_.size() >= capacity_ || IsAskedFor(addition)) return;
    additions_.push_back(std::move(addition));
  }
  work_.notify_one();
}

absl::Status BuildLane::Build(const Addition& addition) {
  const auto network = addition.network.lock();
  const auto bound = addition.bound.lock();
  if (network == nullptr || bound == nullptr) return absl::OkStatus();
  return network->AddPlan(bound, addition.input_shapes, addition.wide);
}

void BuildLane::TellDepth() const {
  if (observer_ != nullptr) observer_(queue_.size());
}

size_t BuildLane::queue_depth() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void BuildLane::Finish(const Key& key, const absl::StatusOr<hosting::Executable>& outcome) {
  Job job;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(key);
    job = std::move(found->second);
    jobs_.erase(found);
  }
  for (BuildWaiter* waiter : job.waiters) waiter->Built(outcome);
}

void BuildLane::Dead::TakeFrom(Job& job) {
  const LaneJob::Time now = LaneJob::Clock::now();
  std::erase_if(job.waiters, [&](BuildWaiter* waiter) {
    if (waiter->cancelled()) return cancelled.push_back(waiter), true;
    if (waiter->deadline() <= now) return expired.push_back(waiter), true;
    return false;
  });
}

void BuildLane::Dead::Tell() const {
  for (BuildWaiter* waiter : cancelled) {
    waiter->Built(absl::CancelledError("the client cancelled the call"));
  }
  for (BuildWaiter* waiter : expired) {
    waiter->Built(absl::DeadlineExceededError("the deadline passed before the plan was built"));
  }
}

// Ends those that need it no more; whether somebody still waits.
bool BuildLane::RefuseDead(const Key& key) {
  Dead dead;
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(key);
    dead.TakeFrom(found->second);
    waits = !found->second.waiters.empty();
    if (!waits) jobs_.erase(found);
  }
  dead.Tell();
  return waits;
}

// Ends those that need it no more without waiting for what is under way.
void BuildLane::Watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (jobs_.empty()) {
      waiters_.wait(lock);
      continue;
    }
    // Not at each request that comes meanwhile: all who wait are looked at.
    waiters_.wait_for(lock, kBetweenLooks, [this] { return stopping_; });
    Dead dead;
    // A job that nobody waits for any more is dropped in its turn, or done.
    for (auto& [key, job] : jobs_) dead.TakeFrom(job);
    lock.unlock();
    dead.Tell();
    lock.lock();
  }
}

void BuildLane::Prepare(const Key& key) {
  if (!RefuseDead(key)) return;
  // jobs_ keeps the network alive until Finish.
  const size_t packed = PackedBytes(*key.first);
  const absl::StatusOr<hosting::Executable> outcome = key.first->Prepare(key.second);
  const bool has_packed = PackedBytes(*key.first) > packed;
  Finish(key, outcome);
  // What each thread that packed weights made of them on the way: malloc would keep that memory.
  if (has_packed) malloc_trim(0);
}

void BuildLane::Serve() {
  // On Linux it is of this thread, and of those that it starts for kernels.
  setpriority(PRIO_PROCESS, 0, kNiceness);
  while (true) {
    std::optional<Item> item;
    Addition addition;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !queue_.empty() || !additions_.empty(); });
      if (stopping_) return;
      if (!queue_.empty()) {
        item = queue_.Pop();
        TellDepth();
      } else {
        addition = additions_.front();
      }
    }
    if (!item) {
      const absl::Status built = Build(addition);
      const std::lock_guard lock(mutex_);
      // Only now, so that it is not asked for again meanwhile.
      additions_.pop_front();
      if (!built.ok()) {
        if (refused_.size() == kMostRefused) refused_.pop_front();
        refused_.push_back({std::move(addition), LaneJob::Clock::now() + kUntilTriedAgain});
      }
    } else if (const auto* work = std::get_if<Work>(&*item)) {
      (*work)(absl::OkStatus());
    } else {
      Prepare(std::get<Key>(*item));
    }
  }
}

}  // namespace lazynet::scheduling
