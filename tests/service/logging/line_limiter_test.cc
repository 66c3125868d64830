#include "service/logging/line_limiter.h"

#include <gtest/gtest.h>

namespace lazynet::logging {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LineLimiter, LetsABurstThroughThenSoManyASecond) {
  LineLimiter limiter(3, 2);
  LineLimiter::Time now{};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take(now), 0u) << i;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.Take(now), std::nullopt) << i;
  now += milliseconds(499);
  EXPECT_EQ(limiter.Take(now), std::nullopt);
  now += milliseconds(1);
  EXPECT_EQ(limiter.Take(now), 6u);  // that many were not written
  EXPECT_EQ(limiter.Take(now), std::nullopt);
}

TEST(LineLimiter, SavesUpNoMoreThanABurst) {
  LineLimiter limiter(2, 1);
  LineLimiter::Time now{};
  EXPECT_TRUE(limiter.Take(now));
  now += seconds(3600);
  EXPECT_TRUE(limiter.Take(now));
  EXPECT_TRUE(limiter.Take(now));
  EXPECT_FALSE(limiter.Take(now));
}

// Threads read the clock before they come to the limiter.
TEST(LineLimiter, TakesATimeOfBeforeAsNow) {
  LineLimiter limiter(1, 1);
  LineLimiter::Time now{};
  now += seconds(10);
  EXPECT_TRUE(limiter.Take(now));
  EXPECT_FALSE(limiter.Take(now - seconds(5)));
  EXPECT_FALSE(limiter.Take(now));
  EXPECT_TRUE(limiter.Take(now + seconds(1)));
}

}  // namespace
}  // namespace lazynet::logging
