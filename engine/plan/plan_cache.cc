#include "engine/plan/plan_cache.h"

namespace lazynet::plan {

std::shared_ptr<const Plan> PlanCache::Find(std::span<const Shape> input_shapes) {
  const Key key(input_shapes.begin(), input_shapes.end());
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->second;
}

size_t PlanCache::Insert(std::shared_ptr<const Plan> plan) {
  Key key;
  for (const TensorSpec& input : plan->inputs()) key.push_back(input.shape);
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    by_use_.erase(found->second);
    entries_.erase(found);
  }
  by_use_.emplace_front(key, std::move(plan));
  entries_[std::move(key)] = by_use_.begin();
  size_t evicted = 0;
  while (by_use_.size() > capacity_) {
    entries_.erase(by_use_.back().first);
    by_use_.pop_back();
    ++evicted;
  }
  return evicted;
}

std::vector<std::shared_ptr<const Plan>> PlanCache::plans() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const Plan>> plans;
  for (const Entry& entry : by_use_) plans.push_back(entry.second);
  return plans;
}

size_t PlanCache::size() const {
  const std::lock_guard lock(mutex_);
  return by_use_.size();
}

}  // namespace lazynet::plan
