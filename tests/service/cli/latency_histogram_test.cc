#include "service/cli/latency_histogram.h"

#include <gtest/gtest.h>

namespace lazynet::cli {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogram, IsExactForShortTimes) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.Record(nanoseconds(i / 2));
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.Percentile(0.5), nanoseconds(25));
  EXPECT_EQ(histogram.Percentile(0), nanoseconds(0));
  EXPECT_EQ(histogram.Percentile(1), nanoseconds(50));
  EXPECT_EQ(histogram.max(), nanoseconds(50));
  EXPECT_EQ(histogram.mean(), nanoseconds(25));
}

// Never below the real one, and at most a 64th above it.
TEST(LatencyHistogram, IsCloseForAllTimes) {
  for (int64_t time = 1; time < int64_t{1} << 39; time = time * 5 / 3 + 1) {
    LatencyHistogram histogram;
    histogram.Record(nanoseconds(time));
    histogram.Record(nanoseconds(time * 2));
    const int64_t median = histogram.Percentile(0.5).count();
    EXPECT_GE(median, time);
    EXPECT_LE(median, time + time / 64) << time;
    EXPECT_EQ(histogram.Percentile(1), nanoseconds(time * 2));
  }
}

TEST(LatencyHistogram, TakesAnyTime) {
  LatencyHistogram histogram;
  histogram.Record(nanoseconds(-5));
  histogram.Record(nanoseconds::max() / 2);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.Percentile(0.5), nanoseconds(0));
  EXPECT_EQ(histogram.max(), nanoseconds::max() / 2);
}

TEST(LatencyHistogram, AddsUpAndBeginsWithNothing) {
  LatencyHistogram a, b;
  EXPECT_EQ(a.Percentile(0.99), nanoseconds(0));
  EXPECT_EQ(a.mean(), nanoseconds(0));
  a.Record(nanoseconds(10));
  b.Record(nanoseconds(30));
  a.Add(b);
  EXPECT_EQ(a.count(), 2u);
  EXPECT_EQ(a.mean(), nanoseconds(20));
  EXPECT_EQ(a.max(), nanoseconds(30));
}

}  // namespace
}  // namespace lazynet::cli
