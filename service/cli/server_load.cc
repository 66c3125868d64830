#include "service/cli/server_load.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <tuple>

#include "service/cli/metrics_text.h"

namespace lazynet::cli {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double UpperBound(std::string_view text) {
  if (text == "+Inf") return kInfinity;
  double bound = kNaN;
  std::from_chars(text.data(), text.data() + text.size(), bound);
  return bound;
}

void TakeModel(const MetricSample& sample, std::string_view name, ModelSample& model) {
  if (name == "requests_total") {
    (sample.Label("code") == "OK" ? model.answers : model.errors) += sample.value;
  } else if (name == "request_duration_seconds_bucket") {
    model.durations.emplace_back(UpperBound(sample.Label("le")), sample.value);
  } else if (name == "queue_duration_seconds_sum") {
    model.queue_seconds = sample.value;
  } else if (name == "queue_duration_seconds_count") {
    model.queue_count = sample.value;
  } else if (name == "requests_in_flight") {
    model.in_flight = sample.value;
  } else if (name == "network_state") {
    if (sample.value == 1) model.state = sample.Label("state");
  } else if (name == "parameter_bytes" || name == "packed_weight_bytes" ||
             name == "plan_cache_bytes") {
    model.bytes += sample.value;
  } else if (name == "mapped_parameter_bytes") {
    model.bytes -= sample.value;
  }
}

void TakeServer(const MetricSample& sample, ServerSample& server) {
  if (sample.name == "lazynet_build_info") {
    server.version = sample.Label("version");
    return;
  }
  const std::pair<std::string_view, double ServerSample::*> values[] = {
      {"lazynet_lanes", &ServerSample::lanes},
      {"lazynet_queue_depth", &ServerSample::queue_depth},
      {"lazynet_queue_capacity", &ServerSample::queue_capacity},
      {"lazynet_build_queue_depth", &ServerSample::build_queue_depth},
      {"lazynet_workspace_bytes", &ServerSample::workspace_bytes},
      {"lazynet_memory_budget_bytes", &ServerSample::memory_budget_bytes},
      {"process_resident_memory_bytes", &ServerSample::resident_bytes},
      {"process_cpu_seconds_total", &ServerSample::cpu_seconds},
      {"process_start_time_seconds", &ServerSample::start_seconds}};
  for (const auto& [name, value] : values) {
    if (sample.name == name) server.*value = sample.value;
  }
}

// More since `before`; all of it when there is less, for it was counted anew.
double Increase(double before, double after) { return after >= before ? after - before : after; }

std::vector<std::pair<double, double>> Increase(const ModelSample& before,
                                                const ModelSample& after) {
  auto histogram = after.durations;
  const bool goes_on = before.durations.size() == histogram.size() && !histogram.empty() &&
                       before.durations.back().second <= histogram.back().second;
  for (size_t i = 0; goes_on && i < histogram.size(); ++i) {
    histogram[i].second = std::max(0.0, histogram[i].second - before.durations[i].second);
  }
  return histogram;
}

}  // namespace

absl::StatusOr<ServerSample> ReadServerSample(std::string_view page) {
  constexpr std::string_view kPrefix = "lazynet_";
  ServerSample server;
  bool ours = false;
  RETURN_IF_ERROR(ReadMetrics(page, [&](const MetricSample& sample) {
    const std::string_view model = sample.Label("model");
    const bool prefixed = sample.name.starts_with(kPrefix);
    ours = ours || sample.name == "lazynet_build_info";
    if (prefixed && !model.empty()) {
      TakeModel(sample, sample.name.substr(kPrefix.size()),
                server.models[{std::string(model), std::string(sample.Label("version"))}]);
    } else if (sample.name == "lazynet_requests_total") {
      server.unknown_model_requests += sample.value;
    } else {
      TakeServer(sample, server);
    }
  }));
  if (!ours) return Internal("these are not the metrics of a lazynet-server");
  return server;
}

double HistogramQuantile(double share, const std::vector<std::pair<double, double>>& histogram) {
  if (histogram.empty() || !(histogram.back().second > 0)) return kNaN;
  const double rank = share * histogram.back().second;
  const auto found = std::find_if(histogram.begin(), histogram.end(),
                                  [&](const auto& bucket) { return bucket.second >= rank; });
  const double low = found == histogram.begin() ? 0 : std::prev(found)->first;
  const double below = found == histogram.begin() ? 0 : std::prev(found)->second;
  if (found == histogram.end() || std::isinf(found->first)) return low;
  const double inside = found->second - below;
  return inside > 0 ? low + (found->first - low) * (rank - below) / inside : found->first;
}

ServerLoad LoadBetween(const ServerSample& before, const ServerSample& after,
                       std::chrono::duration<double> time) {
  const double seconds = time.count();
  ServerLoad load{.server = after};
  load.cpus = Increase(before.cpu_seconds, after.cpu_seconds) / seconds;
  load.errors_per_second =
      Increase(before.unknown_model_requests, after.unknown_model_requests) / seconds;
  load.answers_per_second = load.errors_per_second;
  static const ModelSample kNew;
  for (const auto& [key, model] : after.models) {
    const auto found = before.models.find(key);
    const ModelSample& old = found == before.models.end() ? kNew : found->second;
    const auto histogram = Increase(old, model);
    const double errors = Increase(old.errors, model.errors);
    const double answers = Increase(old.answers, model.answers) + errors;
    const double waits = Increase(old.queue_count, model.queue_count);
    load.models.push_back(
        {.name = key.first,
         .version = key.second,
         .state = model.state,
         .answers_per_second = answers / seconds,
         .errors_per_second = errors / seconds,
         .p50_seconds = HistogramQuantile(0.5, histogram),
         .p99_seconds = HistogramQuantile(0.99, histogram),
         .queue_seconds =
             waits > 0 ? Increase(old.queue_seconds, model.queue_seconds) / waits : kNaN,
         .in_flight = model.in_flight,
         .bytes = model.bytes});
    load.answers_per_second += answers / seconds;
    load.errors_per_second += errors / seconds;
    load.model_bytes += model.bytes;
  }
  std::stable_sort(load.models.begin(), load.models.end(), [](const auto& a, const auto& b) {
    return std::tuple(-a.answers_per_second, -a.in_flight) <
           std::tuple(-b.answers_per_second, -b.in_flight);
  });
  return load;
}

}  // namespace lazynet::cli
