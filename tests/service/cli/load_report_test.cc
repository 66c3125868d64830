#include "service/cli/load_report.h"

#include <gtest/gtest.h>

namespace lazynet::cli {
namespace {

LoadWindow WindowOf(int answers, std::chrono::nanoseconds latency) {
  LoadWindow window;
  window.by_request.resize(1);
  for (int i = 0; i < answers; ++i) {
    window.latencies.Record(latency);
    window.by_request[0].Record(latency);
  }
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
  for (int i = 0; i < 3; ++i) more.errors[14].Record(std::chrono::microseconds(10));
  more.unsent = 2;
  sum.Add(more);
  EXPECT_EQ(sum.latencies.count(), 300u);
  EXPECT_EQ(sum.per_second(), 150);
  EXPECT_EQ(sum.errors.at(14).count(), 3u);
  EXPECT_EQ(sum.unsent, 2u);
}

inference::ModelStatistics StatisticsOf(uint64_t requests, uint64_t infer_ns) {
  inference::ModelStatistics statistics;
  statistics.mutable_inference_stats()->mutable_success()->set_count(requests);
  statistics.mutable_inference_stats()->mutable_compute_infer()->set_ns(infer_ns);
  return statistics;
}

std::optional<ServerTimes> Between(const inference::ModelStatistics& before,
                                   const inference::ModelStatistics& after) {
  return ServerTimesBetween({{{"m", "1"}, before}}, {{{"m", "1"}, after}});
}

TEST(LoadReport, TheServersTimesAreMeansOfWhatCameInBetween) {
  const auto times = Between(StatisticsOf(10, 500), StatisticsOf(14, 900));
  ASSERT_TRUE(times.has_value());
  EXPECT_EQ(times->requests, 4u);
  EXPECT_EQ(times->compute_infer, std::chrono::nanoseconds(100));
  EXPECT_EQ(times->queue, std::chrono::nanoseconds(0));
  EXPECT_FALSE(Between(StatisticsOf(10, 500), StatisticsOf(10, 500)).has_value());
  EXPECT_FALSE(Between(StatisticsOf(10, 500), StatisticsOf(3, 100)).has_value());
}

// They are latencies, but nothing that the server did in the time.
TEST(LoadReport, LateAnswersAreNotInTheRate) {
  LoadWindow window = WindowOf(100, std::chrono::microseconds(1));
  LoadWindow late = WindowOf(10, std::chrono::seconds(2));
  late.time = std::chrono::nanoseconds(0);
  late.late = 10;
  window.Add(late);
  EXPECT_EQ(window.per_second(), 100);
  EXPECT_EQ(window.per_second(0), 100);
  EXPECT_GE(window.latencies.Percentile(0.99), std::chrono::seconds(2));
}

TEST(LoadReport, ItemsAreThoseOfEachKind) {
  LoadReport report{.model = "mix", .kinds = {{.items = 1}, {.items = 8}}};
  LoadLevelReport level;
  level.measured.by_request.resize(2);
  for (int i = 0; i < 40; ++i) {
    level.measured.latencies.Record(std::chrono::microseconds(5));
    level.measured.by_request[i % 4 == 0 ? 1 : 0].Record(std::chrono::microseconds(5));
  }
  level.measured.time = std::chrono::seconds(2);
  EXPECT_EQ(ItemsPerSecond(report, level), 15 + 5 * 8);
}

TEST(LoadReport, ServerTimesOfSeveralModelsAreMeansOverAllRequests) {
  const auto statistics = [](uint64_t count, uint64_t queue_ns) {
    inference::ModelStatistics one;
    one.mutable_inference_stats()->mutable_success()->set_count(count);
    one.mutable_inference_stats()->mutable_queue()->set_ns(queue_ns);
    return one;
  };
  const std::pair a("a", "1"), b("b", "1"), again("again", "1"), gone("gone", "1"),
      late("late", "1");
  const auto times = ServerTimesBetween({{a, statistics(1, 0)},
                                         {b, statistics(2, 100)},
                                         {again, statistics(10, 5000)},
                                         {gone, statistics(7, 700)}},
                                        {{a, statistics(2, 10)},
                                         {b, statistics(5, 190)},
                                         {again, statistics(11, 20)},
                                         {late, statistics(3, 300)}});
  ASSERT_TRUE(times);
  EXPECT_EQ(times->requests, 4u);
  EXPECT_EQ(times->queue.count(), 25);
}

}  // namespace
}  // namespace lazynet::cli
