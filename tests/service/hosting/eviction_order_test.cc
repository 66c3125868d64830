#include "service/hosting/eviction_order.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <vector>

namespace lazynet::hosting {
namespace {

using Place = EvictionOrder::Place;

// Things of equal size, of which so many have room: as memory and a budget for it.
class Memory {
 public:
  explicit Memory(size_t room) : room_(room) {}

  bool contains(Place& place) const { return in_.contains(&place); }
  size_t misses() const { return misses_; }

  void Use(Place& place) {
    if (contains(place)) {
      place.RecordUse();
      return;
    }
    ++misses_;
    while (in_.size() >= room_) {
      const auto turn = order_.Next();
      if (!turn->goes) continue;
      in_.erase(turn->place);
      order_.Leave(*turn->place, true);
    }
    order_.Enter(place);
    in_.insert(&place);
  }

 private:
  const size_t room_;
  EvictionOrder order_;
  std::set<Place*> in_;
  size_t misses_ = 0;
};

TEST(EvictionOrder, WithoutUsesTheFirstToComeIsTheFirstToGo) {
  EvictionOrder order;
  EXPECT_FALSE(order.Next());
  std::deque<Place> places(3);
  for (Place& place : places) order.Enter(place);
  for (Place& place : places) {
    const auto turn = order.Next();
    EXPECT_EQ(turn->place, &place);
    EXPECT_TRUE(turn->goes);
    order.Leave(place, true);
  }
  EXPECT_EQ(order.size(), 0u);
}

TEST(EvictionOrder, WhoCannotGoIsLastInTurn) {
  EvictionOrder order;
  std::deque<Place> places(2);
  for (Place& place : places) order.Enter(place);
  order.Keep(*order.Next()->place);
  EXPECT_EQ(order.Next()->place, &places[1]);
}

TEST(EvictionOrder, EveryPlaceGoesWithinTheMostTurns) {
  EvictionOrder order;
  std::deque<Place> places(50);
  for (Place& place : places) {
    order.Enter(place);
    for (int i = 0; i < 10; ++i) place.RecordUse();
  }
  std::set<Place*> gone;
  for (size_t i = order.MostTurns(); i > 0; --i) {
    const auto turn = order.Next();
    if (!turn->goes) continue;
    gone.insert(turn->place);
    order.Keep(*turn->place);
  }
  EXPECT_EQ(gone.size(), places.size());
}

TEST(EvictionOrder, APassOverColdOnesLeavesThoseInUse) {
  Memory memory(20);
  std::deque<Place> hot(10);
  for (int round = 0; round < 5; ++round) {
    for (Place& place : hot) memory.Use(place);
  }
  // Each cold one is used once; the hot ones each time that many cold ones went by.
  std::deque<Place> cold(1000);
  size_t next_hot = 0;
  for (Place& place : cold) {
    memory.Use(place);
    memory.Use(hot[next_hot++ % hot.size()]);
  }
  EXPECT_EQ(memory.misses(), hot.size() + cold.size());
  for (Place& place : hot) EXPECT_TRUE(memory.contains(place));
}

TEST(EvictionOrder, ALongPassLeavesThoseThatWereInUseAndAreNotMeanwhile) {
  Memory memory(20);
  std::deque<Place> hot(10);
  std::deque<Place> first(20);
  for (Place& place : hot) {
    memory.Use(place);
    memory.Use(place);
  }
  // Pushes the hot ones through probation.
  for (Place& place : first) memory.Use(place);
  std::deque<Place> cold(1000);
  for (Place& place : cold) memory.Use(place);
  for (Place& place : hot) EXPECT_TRUE(memory.contains(place));
}

TEST(EvictionOrder, WhatIsUsedNoMoreGoesWhenOthersAreInUse) {
  Memory memory(10);
  std::deque<Place> old(10);
  for (int round = 0; round < 5; ++round) {
    for (Place& place : old) memory.Use(place);
  }
  std::deque<Place> now(10);
  for (int round = 0; round < 50; ++round) {
    for (Place& place : now) memory.Use(place);
  }
  const size_t before = memory.misses();
  for (Place& place : now) memory.Use(place);
  EXPECT_EQ(memory.misses(), before);
}

}  // namespace
}  // namespace lazynet::hosting
