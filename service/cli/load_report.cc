#include "service/cli/load_report.h"

#include <cmath>

namespace lazynet::cli {
namespace {

constexpr double kTolerance = 0.1;

bool Agree(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) {
    if (!(std::fabs(value - mean) <= kTolerance * mean)) return false;
  }
  return true;
}

}  // namespace

std::optional<ServerTimes> ServerTimesBetween(const inference::ModelStatistics& before,
                                              const inference::ModelStatistics& after) {
  const inference::InferStatistics& a = before.inference_stats();
  const inference::InferStatistics& b = after.inference_stats();
  // A model that was loaded again in between counts from 0.
  if (b.success().count() <= a.success().count()) return std::nullopt;
  ServerTimes times;
  times.requests = b.success().count() - a.success().count();
  const auto mean = [&](const inference::StatisticDuration& from,
                        const inference::StatisticDuration& to) {
    return std::chrono::nanoseconds((to.ns() - from.ns()) / times.requests);
  };
  times.queue = mean(a.queue(), b.queue());
  times.compute_input = mean(a.compute_input(), b.compute_input());
  times.compute_infer = mean(a.compute_infer(), b.compute_infer());
  times.compute_output = mean(a.compute_output(), b.compute_output());
  return times;
}

double ItemsPerSecond(const LoadReport& report, const LoadLevelReport& level) {
  double items = 0;
  for (size_t i = 0; i < report.kinds.size(); ++i) {
    items += level.measured.per_second(i) * static_cast<double>(report.kinds[i].items);
  }
  return items;
}

inference::ModelStatistics Sum(const std::vector<inference::ModelStatistics>& statistics) {
  inference::ModelStatistics sum;
  auto& to = *sum.mutable_inference_stats();
  const auto add = [](const inference::StatisticDuration& from, inference::StatisticDuration& all) {
    all.set_count(all.count() + from.count());
    all.set_ns(all.ns() + from.ns());
  };
  for (const inference::ModelStatistics& one : statistics) {
    const inference::InferStatistics& from = one.inference_stats();
    add(from.success(), *to.mutable_success());
    add(from.queue(), *to.mutable_queue());
    add(from.compute_input(), *to.mutable_compute_input());
    add(from.compute_infer(), *to.mutable_compute_infer());
    add(from.compute_output(), *to.mutable_compute_output());
  }
  return sum;
}

bool AreStable(const std::vector<LoadWindow>& windows) {
  std::vector<double> rates, medians;
  for (const LoadWindow& window : windows) {
    if (window.latencies.count() == 0) return false;
    rates.push_back(window.per_second());
    medians.push_back(static_cast<double>(window.latencies.Percentile(0.5).count()));
  }
  return Agree(rates) && Agree(medians);
}

}  // namespace lazynet::cli
