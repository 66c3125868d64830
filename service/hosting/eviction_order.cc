#include "service/hosting/eviction_order.h"

#include "engine/core/check.h"

namespace lazynet::hosting {

std::list<EvictionOrder::Place*>& EvictionOrder::QueueOf(Place& place) {
  LAZYNET_CHECK(place.queue_ != Place::Queue::kNone);
  return place.queue_ == Place::Queue::kProbation ? probation_ : main_;
}

void EvictionOrder::Enter(Place& place, Place::Queue queue) {
  place.queue_ = queue;
  auto& places = QueueOf(place);
  places.push_front(&place);
  place.at_ = places.begin();
}

void EvictionOrder::Enter(Place& place) {
  LAZYNET_CHECK(place.queue_ == Place::Queue::kNone);
  kept_ = 0;
  place.uses_ = 0;
  const bool is_back = place.evicted_at_ && evictions_ - *place.evicted_at_ <= size();
  Enter(place, is_back ? Place::Queue::kMain : Place::Queue::kProbation);
}

void EvictionOrder::Leave(Place& place, bool evicted) {
  if (place.queue_ == Place::Queue::kNone) return;
  kept_ = 0;
  QueueOf(place).erase(place.at_);
  place.queue_ = Place::Queue::kNone;
  place.evicted_at_.reset();
  if (evicted) place.evicted_at_ = ++evictions_;
}

std::optional<EvictionOrder::Turn> EvictionOrder::Next() {
  if (size() == 0) return std::nullopt;
  const bool probation =
      !probation_.empty() && (probation_.size() * kProbationShare > size() ||
                              kept_ >= main_.size());  // nobody of the main queue can go
  Place& place = probation ? *probation_.back() : *main_.back();
  const uint8_t uses = place.uses_.load(std::memory_order_relaxed);
  if (uses == 0) return Turn{&place, true};
  auto& places = QueueOf(place);
  main_.splice(main_.begin(), places, place.at_);
  place.queue_ = Place::Queue::kMain;
  if (probation) {
    place.uses_ = 0;
  } else {
    place.uses_.fetch_sub(1, std::memory_order_relaxed);
  }
  return Turn{&place, false};
}

void EvictionOrder::Keep(Place& place) {
  if (place.queue_ == Place::Queue::kNone) return;
  main_.splice(main_.begin(), QueueOf(place), place.at_);
  place.queue_ = Place::Queue::kMain;
  ++kept_;
}

}  // namespace lazynet::hosting
