#include "engine/plan/batch_family.h"

namespace lazynet::plan {
namespace {

// A run counts for one in so many in the mean: a short one for more than a long one, which may have
// been interrupted.
constexpr int64_t kWhenLonger = 16;
constexpr int64_t kWhenShorter = 4;

}  // namespace

void BatchFamily::RecordRun(int64_t items, std::chrono::nanoseconds time) {
  // The first run touches new memory, and takes up to a thousand times as long.
  if (!measured_.exchange(true, std::memory_order_relaxed)) return;
  // Two threads at once may lose one of their runs, which a mean does not mind.
  const std::chrono::nanoseconds mean = item_time();
  const std::chrono::nanoseconds more = time / items - mean;
  item_time_.store(mean + more / (more.count() > 0 ? kWhenLonger : kWhenShorter),
                   std::memory_order_relaxed);
}

std::shared_ptr<BatchFamily> BatchFamilies::Find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = families_.find(key);
  return found == families_.end() ? nullptr : found->second.lock();
}

std::shared_ptr<BatchFamily> BatchFamilies::Insert(Key key, std::shared_ptr<BatchFamily> family) {
  const std::lock_guard lock(mutex_);
  absl::erase_if(families_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<BatchFamily>& there = families_[std::move(key)];
  if (auto first = there.lock()) return first;
  there = family;
  return family;
}

}  // namespace lazynet::plan
