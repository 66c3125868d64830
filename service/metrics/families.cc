#include "service/metrics/families.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <array>
#include <utility>

#include "absl/status/status.h"

namespace lazynet::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

constexpr std::string_view TypeOf(Counter NetworkSeries::*) { return "counter"; }
constexpr std::string_view TypeOf(Gauge NetworkSeries::*) { return "gauge"; }
template <const auto& kBounds, int64_t kPerUnit>
constexpr std::string_view TypeOf(Histogram<kBounds, kPerUnit> NetworkSeries::*) {
  return "histogram";
}

// ,key="value" for each of the values.
template <size_t kSize>
std::array<std::string, kSize> LabelsOf(std::string_view key,
                                        const std::array<std::string_view, kSize>& values) {
  std::array<std::string, kSize> labels;
  for (size_t i = 0; i < kSize; ++i) labels[i] = ',' + LabelOf(key, values[i]);
  return labels;
}

std::array<std::string, kStatusCodes> LabelsOfCodes(std::string_view key) {
  std::array<std::string, kStatusCodes> labels;
  for (size_t i = 0; i < kStatusCodes; ++i) {
    labels[i] = ',' + LabelOf(key, absl::StatusCodeToString(static_cast<absl::StatusCode>(i)));
  }
  return labels;
}

// Codes that the server answers: present from the start. A code outside of them appears when it was
// counted.
bool IsAnswered(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
      return true;
    default:
      return false;
  }
}

// Methods whose failures are many and of many kinds.
bool IsInference(std::string_view method) {
  return method == "inference.GRPCInferenceService/ModelInfer" ||
         method == "inference.GRPCInferenceService/ModelStreamInfer";
}

// One series of each network.
template <auto kInstrument>
constexpr NetworkFamily Of(std::string_view name, std::string_view help) {
  return {name, help, TypeOf(kInstrument), [](const NetworkSeries& network, SampleWriter& writer) {
            writer.Write(network.labels, "", network.*kInstrument);
          }};
}

// The same of each value of a label, whose texts kLabels makes.
template <auto kCounters, auto kLabels>
constexpr NetworkFamily By(std::string_view name, std::string_view help) {
  return {name, help, "counter", [](const NetworkSeries& network, SampleWriter& writer) {
            static const auto labels = kLabels();
            for (size_t i = 0; i < labels.size(); ++i) {
              writer.Write(network.labels, labels[i], (network.*kCounters)[i]);
            }
          }};
}

auto Reasons() { return LabelsOf("reason", kShedReasons); }
auto Stages() { return LabelsOf("stage", kDeadlineStages); }
auto Outcomes() { return LabelsOf("outcome", kOutcomes); }
auto EvictedParts() { return LabelsOf("what", kEvictedParts); }

void WriteByCode(std::string_view network, const std::array<Counter, kStatusCodes>& requests,
                 SampleWriter& writer) {
  static const auto labels = LabelsOfCodes("code");
  for (size_t i = 0; i < kStatusCodes; ++i) {
    if (!IsAnswered(static_cast<absl::StatusCode>(i)) && requests[i].value() == 0) continue;
    writer.Write(network, labels[i], requests[i]);
  }
}

void WriteRequests(const NetworkSeries& network, SampleWriter& writer) {
  WriteByCode(network.labels, network.requests, writer);
}

void WriteUnassignedRequests(const ServerSeries& server, SampleWriter& writer) {
  WriteByCode(R"(model="",version="")", server.unassigned_requests, writer);
}

void WriteMaterializations(const NetworkSeries& network, SampleWriter& writer) {
  static const auto sources = LabelsOf("source", kSources);
  static const auto outcomes = Outcomes();
  static const auto labels = [] {
    std::array<std::array<std::string, kOutcomes.size()>, kSources.size()> result;
    for (size_t i = 0; i < sources.size(); ++i) {
      for (size_t j = 0; j < outcomes.size(); ++j) result[i][j] = sources[i] + outcomes[j];
    }
    return result;
  }();
  for (size_t i = 0; i < kSources.size(); ++i) {
    for (size_t j = 0; j < kOutcomes.size(); ++j) {
      writer.Write(network.labels, labels[i][j], network.materializations[i][j]);
    }
  }
}

void WriteStates(const NetworkSeries& network, SampleWriter& writer) {
  static const auto labels = LabelsOf("state", kStates);
  const int present = network.state.load(std::memory_order_relaxed);
  for (size_t i = 0; i < kStates.size(); ++i) {
    writer.Write(network.labels, labels[i], int64_t{static_cast<int>(i) == present});
  }
}

using N = NetworkSeries;

constexpr NetworkFamily kNetworkFamilies[] = {
    {"lazynet_requests_total", "Inference requests answered, by gRPC code.", "counter",
     WriteRequests, WriteUnassignedRequests},
    Of<&N::request_duration>("lazynet_request_duration_seconds",
                             "From a request's arrival to its answer."),
    Of<&N::queue_duration>("lazynet_queue_duration_seconds", "A request's wait for a lane."),
    Of<&N::compute_duration>("lazynet_compute_duration_seconds", "Running one batch on a lane."),
    Of<&N::batch_size>("lazynet_batch_size",
                       "Elements of the batch axis that were computed together."),
    Of<&N::requests_in_flight>("lazynet_requests_in_flight",
                               "Requests that arrived and are not answered yet."),
    By<&N::shed, Reasons>("lazynet_shed_total", "Requests refused to shed load."),
    By<&N::deadline_expired, Stages>("lazynet_deadline_expired_total",
                                     "Requests whose deadline passed before they were computed."),

    {"lazynet_materializations_total", "Attempts to materialize, by what fixed the lazy sizes.",
     "counter", WriteMaterializations},
    Of<&N::materialize_duration>("lazynet_materialize_duration_seconds",
                                 "Successful materializations."),
    {"lazynet_network_state", "1 for the present state, 0 for the others.", "gauge", WriteStates},
    Of<&N::uninitialized_parameters>("lazynet_uninitialized_parameters",
                                     "Parameters that wait for materialization."),
    Of<&N::parameter_bytes>("lazynet_parameter_bytes", "Memory of the parameters."),
    Of<&N::mapped_parameter_bytes>(
        "lazynet_mapped_parameter_bytes",
        "Those in mapped checkpoint files, in memory only while they are read."),
    Of<&N::packed_weight_bytes>("lazynet_packed_weight_bytes",
                                "Memory of the weights packed for the kernels."),

    By<&N::plan_builds, Outcomes>("lazynet_plan_builds_total", "Attempts to build a plan."),
    Of<&N::plan_build_duration>("lazynet_plan_build_duration_seconds",
                                "Successful builds of a plan."),
    Of<&N::plan_cache_hits>("lazynet_plan_cache_hits_total",
                            "Batches whose plan was in the cache."),
    Of<&N::plan_cache_misses>("lazynet_plan_cache_misses_total",
                              "Batches whose plan was not in the cache."),
    Of<&N::plan_cache_evictions>("lazynet_plan_cache_evictions_total",
                                 "Plans dropped from the cache."),
    Of<&N::plan_age_at_eviction>("lazynet_plan_age_at_eviction_seconds",
                                 "How long plans were in the cache that were dropped."),
    By<&N::evictions, EvictedParts>("lazynet_evictions_total",
                                    "What was dropped to make room for others."),
    Of<&N::parameter_age_at_eviction>("lazynet_parameter_age_at_eviction_seconds",
                                      "How long parameters were in memory that were dropped."),
    Of<&N::plan_cache_entries>("lazynet_plan_cache_entries", "Plans in the cache."),
    Of<&N::plan_cache_bytes>("lazynet_plan_cache_bytes", "Memory of the plans in the cache."),
};

template <typename Histogram>
void WriteEndedCalls(std::string_view name, std::string_view help, const MethodTable& methods,
                     Histogram MethodSeries::Ended::*histogram, std::string& out) {
  static const auto statuses = LabelsOfCodes("grpc_status");
  WriteHead(name, help, "histogram", out);
  SampleWriter writer(name, out);
  for (const auto& method : methods) {
    const std::string label = LabelOf("grpc_method", method->method);
    for (size_t i = 0; i < kStatusCodes; ++i) {
      const auto code = static_cast<absl::StatusCode>(i);
      const Histogram& calls = method->ended[i].*histogram;
      const bool always =
          code == absl::StatusCode::kOk || (IsInference(method->method) && IsAnswered(code));
      if (always || !calls.empty()) writer.Write(label, statuses[i], calls);
    }
  }
}

MetricFamily GaugeFamily(const char* name, const char* help, double value) {
  ClientMetric metric;
  metric.gauge.value = value;
  return {name, help, prometheus::MetricType::Gauge, {std::move(metric)}};
}

}  // namespace

std::span<const NetworkFamily> NetworkFamilies() { return kNetworkFamilies; }

std::vector<MetricFamily> ServerFamilies(const ServerSeries& server) {
  MetricFamily build_info =
      GaugeFamily("lazynet_build_info", "Always 1; its labels say what runs.", 1);
  for (const auto& [key, value] : server.build_labels) {
    build_info.metric[0].label.push_back({key, value});
  }
  std::vector<MetricFamily> families{std::move(build_info)};
  const auto add = [&](const char* name, const char* help, const Gauge& gauge) {
    families.push_back(GaugeFamily(name, help, static_cast<double>(gauge.value())));
  };
  add("lazynet_lanes", "Lanes that serve.", server.lanes);
  add("lazynet_queue_depth", "Requests waiting for a lane.", server.queue_depth);
  add("lazynet_queue_capacity",
      "Requests of a model that may wait for a lane, unless its options say otherwise.",
      server.queue_capacity);
  add("lazynet_build_queue_depth", "Materializations and plans waiting for a build lane.",
      server.build_queue_depth);
  add("lazynet_workspace_bytes", "Memory of the lanes for intermediate values.",
      server.workspace_bytes);
  add("lazynet_memory_budget_bytes", "Memory that all networks may take together.",
      server.memory_budget_bytes);
  add("lazynet_memory_used_bytes",
      "What they take of it: parameters, packed weights, plans and workspaces.",
      server.memory_used_bytes);
  return families;
}

void WriteMethodFamilies(const MethodTable& methods, std::string& out) {
  constexpr std::string_view kStarted = "grpc_server_call_started_total";
  WriteHead(kStarted, "Calls that began.", "counter", out);
  SampleWriter started(kStarted, out);
  for (const auto& method : methods) {
    started.Write(LabelOf("grpc_method", method->method), "", method->started);
  }
  WriteEndedCalls("grpc_server_call_duration_seconds", "From a call's beginning to its end.",
                  methods, &MethodSeries::Ended::duration, out);
  WriteEndedCalls("grpc_server_call_rcvd_total_compressed_message_size_bytes",
                  "Received in the messages of a call.", methods,
                  &MethodSeries::Ended::received_bytes, out);
  WriteEndedCalls("grpc_server_call_sent_total_compressed_message_size_bytes",
                  "Sent in the messages of a call.", methods, &MethodSeries::Ended::sent_bytes,
                  out);
}

void WriteHead(std::string_view name, std::string_view help, std::string_view type,
               std::string& out) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

}  // namespace lazynet::metrics
