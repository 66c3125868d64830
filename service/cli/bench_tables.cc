#include "service/cli/bench_tables.h"

#include <fmt/format.h>

#include "absl/status/status.h"

namespace lazynet::cli {
namespace {

constexpr double kShares[] = {0.5, 0.9, 0.99, 0.999};

std::string Rate(double per_second) {
  return per_second < 100 ? fmt::format("{:.1f}", per_second) : fmt::format("{:.0f}", per_second);
}

// "UNAVAILABLE 3 (p50 210, p99 340), 2 not sent".
std::string ErrorsText(const LoadWindow& window) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (const auto& [code, latencies] : window.errors) {
    add(fmt::format("{} {} (p50 {}, p99 {})",
                    absl::StatusCodeToString(static_cast<absl::StatusCode>(code)),
                    latencies.count(), Microseconds(latencies.Percentile(0.5)),
                    Microseconds(latencies.Percentile(0.99))));
  }
  if (window.unsent > 0) add(fmt::format("{} not sent", window.unsent));
  return text;
}

void AddLatencies(const LatencyHistogram& latencies, std::vector<std::string>& row) {
  row.push_back(Microseconds(latencies.mean()));
  for (const double share : kShares) row.push_back(Microseconds(latencies.Percentile(share)));
  row.push_back(Microseconds(latencies.max()));
}

}  // namespace

std::string Microseconds(std::chrono::nanoseconds time) {
  const double us = std::chrono::duration<double, std::micro>(time).count();
  return us < 100 ? fmt::format("{:.1f}", us) : fmt::format("{:.0f}", us);
}

std::string LevelText(const LoadLevel& level) {
  return level.rate > 0 ? fmt::format("{:g}/s", level.rate) : fmt::format("{}", level.clients);
}

BenchTable LevelTable(const LoadReport& report) {
  BenchTable table{.columns = {{"clients"},
                               {"requests/s", true},
                               {"items/s", true},
                               {"mean", true},
                               {"p50", true},
                               {"p90", true},
                               {"p99", true},
                               {"p99.9", true},
                               {"max", true},
                               {"queue", true},
                               {"input", true},
                               {"infer", true},
                               {"output", true},
                               {""}}};
  for (const LoadLevelReport& level : report.levels) {
    std::vector<std::string> row{LevelText(level.level), Rate(level.measured.per_second()),
                                 Rate(ItemsPerSecond(report, level))};
    AddLatencies(level.measured.latencies, row);
    for (const auto stage : {&ServerTimes::queue, &ServerTimes::compute_input,
                             &ServerTimes::compute_infer, &ServerTimes::compute_output}) {
      row.push_back(level.server ? Microseconds((*level.server).*stage) : "");
    }
    std::string notes = ErrorsText(level.measured);
    if (!level.stable) notes = "not stable" + (notes.empty() ? "" : ", " + notes);
    row.push_back(std::move(notes));
    table.rows.push_back(std::move(row));
  }
  return table;
}

BenchTable KindTable(const LoadReport& report) {
  BenchTable table{.columns = {{"request"},
                               {"weight", true},
                               {"items", true},
                               {"first", true},
                               {"second", true},
                               {"cold"}}};
  for (const KindReport& kind : report.kinds) {
    table.rows.push_back({kind.text, fmt::format("{:g}", kind.weight),
                          fmt::format("{}", kind.items), Microseconds(kind.first_answer),
                          Microseconds(kind.second_answer),
                          !kind.cold.has_value() ? "?"
                          : *kind.cold           ? "yes"
                                                 : "no"});
  }
  return table;
}

BenchTable LevelKindTable(const LoadReport& report) {
  BenchTable table{.columns = {{"clients"},
                               {"request"},
                               {"requests/s", true},
                               {"mean", true},
                               {"p50", true},
                               {"p90", true},
                               {"p99", true},
                               {"p99.9", true},
                               {"max", true}}};
  if (report.kinds.size() < 2) return table;
  for (const LoadLevelReport& level : report.levels) {
    for (size_t i = 0; i < report.kinds.size(); ++i) {
      std::vector<std::string> row{LevelText(level.level), report.kinds[i].text,
                                   Rate(level.measured.per_second(i))};
      AddLatencies(level.measured.by_request[i], row);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

}  // namespace lazynet::cli
