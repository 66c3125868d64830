#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/core/shape.h"

namespace lazynet::plan {

// What plans of one parameter set have in common whose input shapes differ in axis 0 alone, the
// batch's: whether and how many of their items are run together, and what an item takes. Safe for
// use by many threads.
class BatchFamily {
 public:
  // `independent`: every item is computed by itself, so that items of several requests may be run
  // as one batch. `group_size`: how many items gain from that, >= 1.
  BatchFamily(bool independent, int64_t group_size, std::chrono::nanoseconds estimated_item_time)
      : independent_(independent), group_size_(group_size), item_time_(estimated_item_time) {}

  bool independent() const { return independent_; }
  int64_t group_size() const { return group_size_; }

  // What an item takes on one thread: as in runs of late, or before the first one as estimated.
  std::chrono::nanoseconds item_time() const { return item_time_.load(std::memory_order_relaxed); }

  // A run of `items` >= 1 took so long, times the threads that it had.
  void RecordRun(int64_t items, std::chrono::nanoseconds time);

 private:
  const bool independent_;
  const int64_t group_size_;
  std::atomic<std::chrono::nanoseconds> item_time_;
  std::atomic<bool> measured_ = false;
};

// The families of a parameter set, kept as long as a plan is of them. Safe for use by many threads.
class BatchFamilies {
 public:
  // Independent families are told apart by the input shapes of one item, others by those of all.
  using Key = std::pair<std::vector<Shape>, bool>;

  // Null when there is none.
  std::shared_ptr<BatchFamily> Find(const Key& key);

  // Returns the one that is there, if another thread was first.
  std::shared_ptr<BatchFamily> Insert(Key key, std::shared_ptr<BatchFamily> family);

 private:
  std::mutex mutex_;  // guards families_
  absl::flat_hash_map<Key, std::weak_ptr<BatchFamily>> families_;
};

}  // namespace lazynet::plan
