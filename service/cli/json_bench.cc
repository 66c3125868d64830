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

Json Latencies(const LatencyHistogram& latencies) {
  Json percentiles = Json::object();
  for (const auto& [name, share] :
       {std::pair{"50", 0.5}, {"90", 0.9}, {"95", 0.95}, {"99", 0.99}, {"99.9", 0.999}}) {
    percentiles[name] = latencies.Percentile(share).count();
  }
  return {{"mean", latencies.mean().count()},
          {"max", latencies.max().count()},
          {"percentiles", std::move(percentiles)}};
}

Json Level(const LoadReport& report, const LoadLevelReport& level) {
  const LoadWindow& measured = level.measured;
  Json errors = Json::object();
  Json error_latencies = Json::object();
  for (const auto& [code, latencies] : measured.errors) {
    const std::string name = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
    errors[name] = latencies.count();
    error_latencies[name] = Latencies(latencies);
  }
  Json kinds = Json::array();
  for (size_t i = 0; i < report.kinds.size(); ++i) {
    kinds.push_back({{"request", report.kinds[i].text},
                     {"answers", measured.by_request[i].count()},
                     {"answers_per_second", measured.per_second(i)},
                     {"latency_ns", Latencies(measured.by_request[i])}});
  }
  Json moments = Json::array();
  for (const LoadMoment& moment : level.moments) {
    moments.push_back({{"seconds", moment.seconds},
                       {"answers_per_second", moment.per_second},
                       {"p50_ns", moment.p50.count()},
                       {"p99_ns", moment.p99.count()},
                       {"max_ns", moment.max.count()}});
  }
  const bool open = level.level.rate > 0;
  return {{"clients", open ? Json() : Json(level.level.clients)},
          {"rate", open ? Json(level.level.rate) : Json()},
          {"stable", level.stable},
          {"seconds", std::chrono::duration<double>(measured.time).count()},
          {"answers", measured.latencies.count()},
          {"answers_per_second", measured.per_second()},
          {"items_per_second", ItemsPerSecond(report, level)},
          {"late", measured.late},
          {"errors", std::move(errors)},
          {"error_latency_ns", std::move(error_latencies)},
          {"unsent", measured.unsent},
          {"latency_ns", Latencies(measured.latencies)},
          {"kinds", std::move(kinds)},
          {"moments", std::move(moments)},
          {"server", level.server ? Times(*level.server) : Json()}};
}

}  // namespace

void Print(const LoadReport& report, std::ostream& out) {
  Json levels = Json::array();
  for (const LoadLevelReport& level : report.levels) levels.push_back(Level(report, level));
  Json kinds = Json::array();
  for (const KindReport& kind : report.kinds) {
    kinds.push_back({{"request", kind.text},
                     {"weight", kind.weight},
                     {"items", kind.items},
                     {"first_answer_ns", kind.first_answer.count()},
                     {"second_answer_ns", kind.second_answer.count()},
                     {"cold", kind.cold ? Json(*kind.cold) : Json()}});
  }
  Write({{"model", report.model},
         {"items", report.kinds[0].items},
         {"first_answer_ns", report.kinds[0].first_answer.count()},
         {"kinds", std::move(kinds)},
         {"levels", std::move(levels)}},
        out);
}

}  // namespace lazynet::cli::json
