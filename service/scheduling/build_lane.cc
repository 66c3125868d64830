#include "service/scheduling/build_lane.h"

#include <malloc.h>
#include <sys/resource.h>

#include <optional>

namespace lazynet::scheduling {
namespace {

// A tenth of a busy processor: requests that can be computed go first.
constexpr int kNiceness = 10;

size_t PackedBytes(const hosting::HostedNetwork& network) {
  const auto bound = network.bound();
  return bound == nullptr ? 0 : bound->shared.packed.bytes();
}

}  // namespace

BuildLane::BuildLane(size_t capacity, DepthObserver observer)
    : capacity_(capacity), observer_(std::move(observer)), thread_([this] { Serve(); }) {}

BuildLane::~BuildLane() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
  const absl::Status stopped = absl::UnavailableError("the server stops");
  for (const Item& item : queue_) {
    if (const auto* work = std::get_if<Work>(&item)) {
      (*work)(stopped);
    } else {
      Finish(std::get<Key>(item), stopped);
    }
  }
}

bool BuildLane::Submit(std::shared_ptr<hosting::HostedNetwork> network,
                       std::vector<Shape> input_shapes, Callback callback) {
  const Key key(network.get(), std::move(input_shapes));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    if (const auto found = jobs_.find(key); found != jobs_.end()) {
      found->second.waiters.push_back(std::move(callback));
      return true;
    }
    if (queue_.size() >= capacity_) return false;
    Job& job = jobs_[key];
    job.network = std::move(network);
    job.waiters.push_back(std::move(callback));
    queue_.emplace_back(key);
    TellDepth();
  }
  work_.notify_one();
  return true;
}

bool BuildLane::Submit(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= capacity_) return false;
    queue_.emplace_back(std::move(work));
    TellDepth();
  }
  work_.notify_one();
  return true;
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
  for (const Callback& waiter : job.waiters) waiter(outcome);
}

void BuildLane::Prepare(const Key& key) {
  // jobs_ keeps the network alive until Finish.
  const size_t packed = PackedBytes(*key.first);
  const absl::StatusOr<hosting::Executable> outcome = key.first->Prepare(key.second);
  if (outcome.ok() && key.first->GainsFromWidening(*outcome)) {
    const std::lock_guard lock(mutex_);
    if (widenings_.size() < capacity_) {
      widenings_.emplace_back(jobs_.find(key)->second.network, *outcome);
    }
  }
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
    Widening widening;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !queue_.empty() || !widenings_.empty(); });
      if (stopping_) return;
      if (!queue_.empty()) {
        item = std::move(queue_.front());
        queue_.pop_front();
        TellDepth();
      } else {
        widening = std::move(widenings_.front());
        widenings_.pop_front();
      }
    }
    if (!item) {
      widening.first->Widen(widening.second);
    } else if (const auto* work = std::get_if<Work>(&*item)) {
      (*work)(absl::OkStatus());
    } else {
      Prepare(std::get<Key>(*item));
    }
  }
}

}  // namespace lazynet::scheduling
