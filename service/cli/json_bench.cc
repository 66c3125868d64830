#include "service/cli/json_format.h"
#include "service/cli/json_report.h"

namespace lazynet::cli::json {
namespace {

Json Times(const ServerTimes& times) {
  return {{"requests", times.requests},
          {"queue_ns", times.queue.count()},
          {"compute_input_ns", times.compute_input.count()},
          {"compute_infer_ns", times.compute_infer.count()},
          {"compute_output_ns", times.compute_output.count()}};
}

Json Level(const LoadLevelReport& report) {
  const LoadWindow& measured = report.measured;
  Json errors = Json::object();
  for (const auto& [code, count] : measured.errors) {
    errors[absl::StatusCodeToString(static_cast<absl::StatusCode>(code))] = count;
  }
  Json percentiles = Json::object();
  for (const auto& [name, share] :
       {std::pair{"50", 0.5}, {"90", 0.9}, {"95", 0.95}, {"99", 0.99}, {"99.9", 0.999}}) {
    percentiles[name] = measured.latencies.Percentile(share).count();
  }
  const bool open = report.level.rate > 0;
  return {{"clients", open ? Json() : Json(report.level.clients)},
          {"rate", open ? Json(report.level.rate) : Json()},
          {"stable", report.stable},
          {"seconds", std::chrono::duration<double>(measured.time).count()},
          {"answers", measured.latencies.count()},
          {"answers_per_second", measured.per_second()},
          {"errors", std::move(errors)},
          {"unsent", measured.unsent},
          {"latency_ns",
           {{"mean", measured.latencies.mean().count()},
            {"max", measured.latencies.max().count()},
            {"percentiles", std::move(percentiles)}}},
          {"server", report.server ? Times(*report.server) : Json()}};
}

}  // namespace

void Print(const LoadReport& report, std::ostream& out) {
  Json levels = Json::array();
  for (const LoadLevelReport& level : report.levels) levels.push_back(Level(level));
  Write({{"model", report.model},
         {"items", report.items},
         {"first_answer_ns", report.first_answer.count()},
         {"levels", std::move(levels)}},
        out);
}

}  // namespace lazynet::cli::json
