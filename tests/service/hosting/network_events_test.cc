#include "service/hosting/network_events.h"

#include <gtest/gtest.h>

#include <thread>

namespace lazynet::hosting {
namespace {

using std::chrono::milliseconds;

TEST(NetworkEvents, TellTheLastStateOfEveryNetworkAndThenChanges) {
  NetworkEvents events;
  events.Publish({.name = "a", .state = NetworkState::kLazy});
  events.Publish({.name = "b", .state = NetworkState::kUnavailable, .reason = "why"});
  events.Publish({.name = "a", .state = NetworkState::kReady});
  const auto first = events.Next(0, milliseconds(0));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].name, "b");
  EXPECT_EQ(first[0].reason, "why");
  EXPECT_EQ(first[1].state, NetworkState::kReady);
  EXPECT_TRUE(events.Next(first[1].sequence, milliseconds(0)).empty());
  events.Publish({.name = "b", .removed = true});
  const auto second = events.Next(first[1].sequence, milliseconds(0));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_TRUE(second[0].removed);
}

TEST(NetworkEvents, WakeThoseWhoWait) {
  NetworkEvents events;
  std::thread waiter([&] {
    while (!events.closed()) events.Next(1, milliseconds(60'000));
  });
  events.Publish({.name = "a"});
  events.Close();
  waiter.join();
  EXPECT_TRUE(events.closed());
}

TEST(NetworkEvents, ForgetOldRemovals) {
  NetworkEvents events;
  events.Publish({.name = "stays"});
  for (int i = 0; i < 5000; ++i) {
    events.Publish({.name = std::to_string(i), .removed = true});
  }
  const auto all = events.Next(0, milliseconds(0));
  EXPECT_LT(all.size(), 1100u);
  EXPECT_EQ(all.front().name, "stays");
  EXPECT_EQ(all.back().name, "4999");
}

}  // namespace
}  // namespace lazynet::hosting
