#include <fmt/format.h>

#include <ostream>

#include "service/cli/table.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

std::string Microseconds(std::chrono::nanoseconds time) {
  const double us = std::chrono::duration<double, std::micro>(time).count();
  return us < 100 ? fmt::format("{:.1f}", us) : fmt::format("{:.0f}", us);
}

std::string Rate(double per_second) {
  return per_second < 100 ? fmt::format("{:.1f}", per_second) : fmt::format("{:.0f}", per_second);
}

std::string LevelText(const LoadLevel& level) {
  return level.rate > 0 ? fmt::format("{:g}/s", level.rate) : fmt::format("{}", level.clients);
}

// "UNAVAILABLE 3, 2 not sent".
std::string ErrorsText(const LoadWindow& window) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (const auto& [code, count] : window.errors) {
    add(fmt::format("{} {}", absl::StatusCodeToString(static_cast<absl::StatusCode>(code)), count));
  }
  if (window.unsent > 0) add(fmt::format("{} not sent", window.unsent));
  return text;
}

}  // namespace

void Print(const LoadReport& report, std::ostream& out) {
  out << fmt::format("{}, {} item{} a request, first answer {} us\n", Printable(report.model),
                     report.items, report.items == 1 ? "" : "s", Microseconds(report.first_answer));
  Table table({{"clients"},
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
               {""}});
  for (const LoadLevelReport& level : report.levels) {
    const LatencyHistogram& latencies = level.measured.latencies;
    const double rate = level.measured.per_second();
    std::vector<std::string> row{LevelText(level.level), Rate(rate),
                                 Rate(rate * static_cast<double>(report.items)),
                                 Microseconds(latencies.mean())};
    for (const double share : {0.5, 0.9, 0.99, 0.999}) {
      row.push_back(Microseconds(latencies.Percentile(share)));
    }
    row.push_back(Microseconds(latencies.max()));
    for (const auto stage : {&ServerTimes::queue, &ServerTimes::compute_input,
                             &ServerTimes::compute_infer, &ServerTimes::compute_output}) {
      row.push_back(level.server ? Microseconds((*level.server).*stage) : "");
    }
    std::string notes = ErrorsText(level.measured);
    if (!level.stable) notes = "not stable" + (notes.empty() ? "" : ", " + notes);
    row.push_back(std::move(notes));
    table.Add(std::move(row));
  }
  table.Print(out);
  out << "Latencies in us; queue to output: the server's own means.\n";
}

}  // namespace lazynet::cli::text
