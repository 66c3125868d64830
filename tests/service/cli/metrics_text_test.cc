#include "service/cli/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace lazynet::cli {
namespace {

std::vector<std::string> Read(std::string_view page) {
  std::vector<std::string> samples;
  const absl::Status status = ReadMetrics(page, [&](const MetricSample& sample) {
    std::string text(sample.name);
    for (const auto& [label, value] : sample.labels) {
      text += fmt::format(" {}=<{}>", label, value);
    }
    samples.push_back(fmt::format("{} {}", text, sample.value));
  });
  if (!status.ok()) samples.emplace_back(status.message());
  return samples;
}

TEST(MetricsText, IsRead) {
  EXPECT_THAT(Read("# HELP a_total What.\n"
                   "# TYPE a_total counter\n"
                   "a_total 3\n"
                   "\n"
                   "b{} 1.5e-05\n"
                   "c{x=\"1\",le=\"+Inf\"} 7 1700000000000\n"
                   "d{x=\"a\\\\b\\\"c\\nd,}\"} +Inf\n"
                   "e -2"),
              ::testing::ElementsAre("a_total 3", "b 1.5e-05", "c x=<1> le=<+Inf> 7",
                                     "d x=<a\\b\"c\nd,}> inf", "e -2"));
}

TEST(MetricsText, HasLabelsByName) {
  ASSERT_TRUE(ReadMetrics("c{x=\"1\",le=\"2\"} NaN\n", [](const MetricSample& sample) {
                EXPECT_EQ(sample.Label("le"), "2");
                EXPECT_EQ(sample.Label("y"), "");
                EXPECT_TRUE(std::isnan(sample.value));
              }).ok());
}

TEST(MetricsText, SaysWhatIsNone) {
  for (const char* line : {"<html>", "a", "a x", "a{x=\"1\" 3", "a{x=1} 3", "a{x=\"1} 3", "a{x} 3",
                           "a{x=\"1\"}3", "a 3x", " 3"}) {
    EXPECT_THAT(Read(fmt::format("{}\n", line)),
                ::testing::ElementsAre(fmt::format("no line of metrics: \"{}\"", line)));
  }
}

}  // namespace
}  // namespace lazynet::cli
