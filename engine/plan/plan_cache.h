#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/plan/plan.h"

namespace lazynet::plan {

// The plans of one parameter set, by input shapes; the least recently used goes when there are too
// many. Safe for use by many threads; a plan that was evicted lives on with who still runs it.
class PlanCache {
 public:
  // `capacity` of at least 1, in plans.
  explicit PlanCache(size_t capacity) : capacity_(capacity) {}

  // The plan for these shapes, or null.
  std::shared_ptr<const Plan> Find(std::span<const Shape> input_shapes);

  // Keeps a plan. Returns how many were evicted for it.
  size_t Insert(std::shared_ptr<const Plan> plan);

  std::vector<std::shared_ptr<const Plan>> plans() const;
  size_t size() const;

 private:
  using Key = std::vector<Shape>;
  using Entry = std::pair<Key, std::shared_ptr<const Plan>>;

  const size_t capacity_;
  mutable std::mutex mutex_;  // guards all below
  std::list<Entry> by_use_;   // most recently used first
  absl::flat_hash_map<Key, std::list<Entry>::iterator> entries_;
};

}  // namespace lazynet::plan
