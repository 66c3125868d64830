#include "service/cli/load_report.h"

#include <gtest/gtest.h>

namespace lazynet::cli {
namespace {

LoadWindow WindowOf(int answers, std::chrono::nanoseconds latency) {
  LoadWindow window;
  for (int i = 0; i < answers; ++i) window.latencies.Record(latency);
  window.time = std::chrono::seconds(1);
  return window;
}

TEST(LoadReport, WindowsAreStableWithinATenth) {
  const auto us = [](int count) { return std::chrono::microseconds(count); };
  EXPECT_TRUE(AreStable({WindowOf(100, us(10)), WindowOf(105, us(10)), WindowOf(95, us(10))}));
  EXPECT_FALSE(AreStable({WindowOf(100, us(10)), WindowOf(130, us(10)), WindowOf(100, us(10))}));
  EXPECT_FALSE(AreStable({WindowOf(100, us(10)), WindowOf(100, us(13)), WindowOf(100, us(10))}));
  EXPECT_FALSE(AreStable({WindowOf(100, us(10)), WindowOf(0, us(10)), WindowOf(100, us(10))}));
}

TEST(LoadReport, WindowsAddUp) {
  LoadWindow sum = WindowOf(100, std::chrono::microseconds(1));
  LoadWindow more = WindowOf(200, std::chrono::microseconds(1));
  more.errors[14] = 3;
  more.unsent = 2;
  sum.Add(more);
  EXPECT_EQ(sum.latencies.count(), 300u);
  EXPECT_EQ(sum.per_second(), 150);
  EXPECT_EQ(sum.errors.at(14), 3u);
  EXPECT_EQ(sum.unsent, 2u);
}

inference::ModelStatistics StatisticsOf(uint64_t requests, uint64_t infer_ns) {
  inference::ModelStatistics statistics;
  statistics.mutable_inference_stats()->mutable_success()->set_count(requests);
  statistics.mutable_inference_stats()->mutable_compute_infer()->set_ns(infer_ns);
  return statistics;
}

TEST(LoadReport, TheServersTimesAreMeansOfWhatCameInBetween) {
  const auto times = ServerTimesBetween(StatisticsOf(10, 500), StatisticsOf(14, 900));
  ASSERT_TRUE(times.has_value());
  EXPECT_EQ(times->requests, 4u);
  EXPECT_EQ(times->compute_infer, std::chrono::nanoseconds(100));
  EXPECT_EQ(times->queue, std::chrono::nanoseconds(0));
  EXPECT_FALSE(ServerTimesBetween(StatisticsOf(10, 500), StatisticsOf(10, 500)).has_value());
  EXPECT_FALSE(ServerTimesBetween(StatisticsOf(10, 500), StatisticsOf(3, 100)).has_value());
}

}  // namespace
}  // namespace lazynet::cli
