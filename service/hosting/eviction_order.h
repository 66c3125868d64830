#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

namespace lazynet::hosting {

// Which of the things in memory goes first. Those used once are told apart from those used again
// and again, so that a pass over many things, each used once, does not push out the ones in
// constant use; after S3-FIFO (Yang et al., SOSP 2023). What enters is on probation, in a queue of
// about a tenth of all; from its end, who was used meanwhile moves on to the main queue, and others
// go. In the main queue every use, up to a few, is worth another round. Who went a short while ago
// and is back needs no probation.
//
// Not thread-safe, but for Place::RecordUse.
class EvictionOrder {
 public:
  // Where one thing stands in the order. Outlives its stay, and remembers the last one.
  class Place {
   public:
    // Takes no lock; safe from any thread.
    void RecordUse() {
      if (uses_.load(std::memory_order_relaxed) < kMostUses) {
        uses_.fetch_add(1, std::memory_order_relaxed);
      }
    }

   private:
    friend class EvictionOrder;
    enum class Queue : uint8_t { kNone, kProbation, kMain };

    std::atomic<uint8_t> uses_ = 0;  // since the order looked
    Queue queue_ = Queue::kNone;
    std::list<Place*>::iterator at_;
    std::optional<uint64_t> evicted_at_;  // by the count of evictions
  };

  struct Turn {
    Place* place = nullptr;
    bool goes = false;  // else it was passed over: it is in use
  };

  // Enters a place that is in no queue.
  void Enter(Place& place);

  // Takes a place out; does nothing to one that is in no queue.
  void Leave(Place& place, bool evicted);

  // The next in turn; nothing when there is none. Who goes stays first until it left, or is kept.
  std::optional<Turn> Next();

  // It cannot go: its turn comes again last of the main queue, so that it is in nobody's way.
  void Keep(Place& place);

  // Calls with every place, as long as that returns true.
  template <typename Function>
  void ForEach(const Function& function) const {
    for (const auto* places : {&probation_, &main_}) {
      for (Place* place : *places) {
        if (!function(*place)) return;
      }
    }
  }

  size_t size() const { return probation_.size() + main_.size(); }

  // How many turns show each place as one that goes, if there are no uses meanwhile.
  size_t MostTurns() const { return (kMostUses + 2) * size(); }

 private:
  static constexpr uint8_t kMostUses = 3;
  static constexpr size_t kProbationShare = 10;  // one in so many

  std::list<Place*>& QueueOf(Place& place);
  void Enter(Place& place, Place::Queue queue);

  std::list<Place*> probation_;  // next in turn last
  std::list<Place*> main_;
  uint64_t evictions_ = 0;
  size_t kept_ = 0;  // in a row
};

}  // namespace lazynet::hosting
