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

using Statistics = inference::InferStatistics;

constexpr std::pair<std::chrono::nanoseconds ServerTimes::*,
                    const inference::StatisticDuration& (Statistics::*)() const>
    kTimes[] = {{&ServerTimes::queue, &Statistics::queue},
                {&ServerTimes::compute_input, &Statistics::compute_input},
                {&ServerTimes::compute_infer, &Statistics::compute_infer},
                {&ServerTimes::compute_output, &Statistics::compute_output}};

bool GoesOn(const Statistics& before, const Statistics& after) {
  for (const auto& [time, duration] : kTimes) {
    if ((after.*duration)().ns() < (before.*duration)().ns()) return false;
  }
  return after.success().count() >= before.success().count();
}

}  // namespace

std::optional<ServerTimes> ServerTimesBetween(const StatisticsByModel& before,
                                              const StatisticsByModel& after) {
  ServerTimes all;
  for (const auto& [model, statistics] : after) {
    const auto found = before.find(model);
    if (found == before.end()) continue;
    const inference::InferStatistics& from = found->second.inference_stats();
    const inference::InferStatistics& to = statistics.inference_stats();
    // A model that was loaded again in between counts from 0.
    if (!GoesOn(from, to)) continue;
    all.requests += to.success().count() - from.success().count();
    for (const auto& [time, duration] : kTimes) {
      all.*time += std::chrono::nanoseconds((to.*duration)().ns() - (from.*duration)().ns());
    }
  }
  if (all.requests == 0) return std::nullopt;
  for (const auto& [time, duration] : kTimes) {
    all.*time /= static_cast<int64_t>(all.requests);
  }
  return all;
}

double ItemsPerSecond(const LoadReport& report, const LoadLevelReport& level) {
  double items = 0;
  for (size_t i = 0; i < report.kinds.size(); ++i) {
    items += level.measured.per_second(i) * static_cast<double>(report.kinds[i].items);
  }
  return items;
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
