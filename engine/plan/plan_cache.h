#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/plan/plan.h"

namespace lazynet::plan {

// The plans of a process: those least recently used go when they take more than so many bytes
// together. Each network has a part of it, with a limit of its own. Safe for use by many threads; a
// plan that was evicted lives on with who still runs it.
class PlanCache {
 public:
  using Clock = std::chrono::steady_clock;
  class Part;

  // Room for `capacity` bytes, as Plan::bytes() counts them. One plan may be larger and is kept
  // until the next one comes.
  explicit PlanCache(size_t capacity) : capacity_(capacity) {}

  // Of all parts. Programs that plans of one part have in common count once.
  size_t bytes() const;
  size_t size() const;

 private:
  using PlanPtr = std::shared_ptr<const Plan>;

  struct Key {
    std::vector<Shape> input_shapes;
    int threads;
  };

  // Of a Key, or of what it would be made of, so that a lookup allocates nothing.
  struct KeyView {
    std::span<const Shape> input_shapes;
    int threads;

    KeyView(std::span<const Shape> shapes, int count) : input_shapes(shapes), threads(count) {}
    KeyView(const Key& key) : input_shapes(key.input_shapes), threads(key.threads) {}
  };
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const KeyView& key) const;
  };
  struct KeyEqual {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const;
  };

  struct Entry {
    Part* part;
    Key key;
    PlanPtr plan;
    Clock::time_point inserted;
    uint64_t last_use = 0;
    bool used = true;    // since EvictUnused looked
    uint64_t found = 0;  // times, since TakeUses looked
  };
  using Entries = std::list<Entry>;

  enum class Why { kReplaced, kEvicted };

  // Returns the plan, which may take a while to destroy: not under the lock.
  PlanPtr Remove(Entries::iterator entry, Why why);

  const size_t capacity_;
  mutable std::mutex mutex_;  // guards all below, and what is in the parts
  Entries by_use_;            // most recently used first
  size_t bytes_ = 0;
  uint64_t uses_ = 0;
};

// The plans of one parameter set, by input shapes and number of threads. Its functions lock the
// cache for moments.
class PlanCache::Part {
 public:
  // What happened to a plan of the part: how the numbers of plans and bytes changed, and how long a
  // plan that had to go was in the cache. Called under the cache's lock, by whoever needed the
  // room, maybe on behalf of another part.
  struct Change {
    int entries = 0;
    int64_t bytes = 0;
    std::optional<Clock::duration> age_at_eviction;
  };
  using Observer = std::function<void(const Change&)>;

  // `capacity` of at least 1, in plans. The cache outlives its parts.
  Part(PlanCache& cache, size_t capacity, Observer observer = nullptr)
      : cache_(cache), capacity_(capacity), observer_(std::move(observer)) {}

  // Its plans are gone from the cache.
  ~Part();
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  // The plan for these shapes that a run uses so many threads for, or null.
  PlanPtr Find(std::span<const Shape> input_shapes, int threads = 1);

  // Keeps a plan, in place of the one for the same shapes and threads.
  void Insert(PlanPtr plan);

  // Both drop plans that nobody runs, since the others would go on to take their memory: the one
  // least recently used, or those not found since the last call. They return how many.
  size_t EvictIdle();
  size_t EvictUnused();

  // How often each plan was found since the last call.
  std::vector<std::pair<PlanPtr, uint64_t>> TakeUses();

  // Most recently used first.
  std::vector<PlanPtr> plans() const;
  size_t size() const;
  size_t bytes() const;

  // Those that EvictIdle would free, call after call.
  size_t idle_bytes() const;

 private:
  friend class PlanCache;

  // Bytes that the cache takes more, or less, with a plan of this part.
  int64_t BytesWith(const Plan& plan);
  int64_t BytesWithout(const Plan& plan);
  void Tell(const Change& change);

  // The one least recently used, of all or of those that nobody runs. Looks at the part's own
  // alone: a process may have many more.
  std::optional<Entries::iterator> Oldest(bool idle) const;

  PlanCache& cache_;
  const size_t capacity_;
  const Observer observer_;
  absl::flat_hash_map<Key, Entries::iterator, KeyHash, KeyEqual> entries_;
  absl::flat_hash_map<const Program*, int> programs_;  // how many of its plans run each
  size_t bytes_ = 0;
};

}  // namespace lazynet::plan
