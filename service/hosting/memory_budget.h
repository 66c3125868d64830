#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/core/status.h"
#include "engine/nn/parameter_set.h"
#include "service/hosting/eviction_order.h"

namespace lazynet::hosting {

// What gives memory back when others need it: a hosted network. Called by the thread that needs the
// memory, which may hold locks of another network: implementations wait for nobody.
class Evictable {
 public:
  virtual ~Evictable() = default;

  // What it could give back at this moment.
  virtual size_t EvictableBytes() const = 0;

  // Gives back the plans that were not used since the last call.
  virtual void EvictUnusedPlans() = 0;

  // Gives back one plan, the least recently used, and the packed weights that no other plan uses.
  // False when there is none that can go.
  virtual bool EvictPlan() = 0;

  // Gives back everything else. False when that is in use, or could not be made again.
  virtual bool EvictParameters() = 0;
};

// The ledger of the memory that all networks of the process hold: parameters but for those in
// mapped files, packed weights, plans, and the lanes' workspaces. What is taken counts until it is
// really freed, so evicting what a request still uses makes no room. Safe for use by many threads;
// outlives all that it counts.
class MemoryBudget {
 public:
  // Told of every change of used().
  using Observer = std::function<void(int64_t bytes)>;
  explicit MemoryBudget(size_t limit, Observer observer = nullptr)
      : limit_(limit), observer_(std::move(observer)) {}

  // Bytes that count as long as this lives.
  class Share {
   public:
    Share(MemoryBudget& budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
    ~Share() { budget_.Add(-static_cast<int64_t>(bytes_)); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    friend class MemoryBudget;
    MemoryBudget& budget_;
    size_t bytes_;
  };
  using Shares = std::vector<std::shared_ptr<const Share>>;

  // A network that may be evicted; its member. A network is in memory from Enter to Leave.
  class Resident : public EvictionOrder::Place {
    friend class MemoryBudget;
    std::weak_ptr<Evictable> network_;
  };

  // Counts bytes that are about to be taken, when they are free or others can be evicted for them;
  // `asking` stays. RESOURCE_EXHAUSTED says what was wanted, what is free and what the budget is;
  // nothing is evicted then if that could not have helped. Else a little more is evicted than has
  // to be, so that not each of many small wishes has to evict.
  absl::StatusOr<std::unique_ptr<Share>> Take(size_t bytes, std::string_view what,
                                              const Evictable* asking);

  // The same for bytes that are counted elsewhere, later.
  absl::Status Admit(size_t bytes, std::string_view what, const Evictable* asking);

  // What Admit would answer.
  absl::Status Check(size_t bytes, std::string_view what, const Evictable* asking) const;

  // Whether nobody has to be evicted for so many bytes.
  bool IsFree(size_t bytes) const { return used() + bytes <= limit_; }

  // Counts what is there, whether it has room or not.
  void Add(int64_t bytes);

  // The same for the values of a parameter set that no mapped file holds: each once, however many
  // sets have it. Values that are new come out of `room`, which was taken for them, so that nobody
  // takes it in between; what is left of it is given back. The shares must be gone before the set
  // is.
  Shares Hold(const nn::ParameterSet& set, std::unique_ptr<Share> room = nullptr);

  void Enter(const std::shared_ptr<Evictable>& network, Resident& resident);
  void Leave(Resident& resident, bool evicted);

  size_t limit() const { return limit_; }
  size_t used() const { return static_cast<size_t>(used_.load(std::memory_order_relaxed)); }

 private:
  bool TryTake(size_t bytes);
  size_t FreeBytes() const;
  size_t EvictableBytes(size_t most, size_t wanted, const Evictable* asking) const;
  absl::Status MakeRoom(size_t bytes, std::string_view what, const Evictable* asking);
  void EvictInTurn(size_t bytes, const Evictable* asking);
  void TrimHeap(size_t evicted);

  const size_t limit_;
  const Observer observer_;
  std::atomic<int64_t> used_ = 0;

  std::mutex evicting_;   // one thread evicts at a time
  size_t untrimmed_ = 0;  // bytes evicted since the heap was trimmed; guarded by evicting_

  mutable std::mutex mutex_;  // guards order_, for moments only
  EvictionOrder order_;

  std::mutex values_mutex_;  // guards values_
  absl::flat_hash_map<const std::byte*, std::weak_ptr<const Share>> values_;
};

}  // namespace lazynet::hosting
