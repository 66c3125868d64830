#include "service/handlers/reading_lane.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace lazynet::handlers {
namespace {

TEST(ReadingLane, DoesOneAfterTheOtherOnAThreadOfItsOwn) {
  std::vector<int> order;
  std::thread::id thread;
  {
    ReadingLane lane(1, 8);
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(lane.Submit([&, i] {
        order.push_back(i);
        thread = std::this_thread::get_id();
      }));
    }
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));  // also what waited when it ended
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(ReadingLane, TakesNoMoreThanMayWait) {
  std::promise<void> begun, release;
  ReadingLane lane(1, 1);
  ASSERT_TRUE(lane.Submit([&] {
    begun.set_value();
    release.get_future().wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(lane.Submit([] {}));
  EXPECT_FALSE(lane.Submit([] {}));
  release.set_value();
}

TEST(ReadingLane, ItsThreadsWorkAtTheSameTime) {
  std::latch both(2);
  ReadingLane lane(2, 8);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(lane.Submit([&] { both.arrive_and_wait(); }));
  both.wait();
}

}  // namespace
}  // namespace lazynet::handlers
