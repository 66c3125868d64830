#include "service/metrics/families.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <initializer_list>
#include <utility>

#include "absl/status/status.h"

namespace lazynet::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;

ClientMetric ToMetric(const Counter& counter) {
  ClientMetric metric;
  metric.counter.value = static_cast<double>(counter.value());
  return metric;
}

ClientMetric GaugeMetric(double value) {
  ClientMetric metric;
  metric.gauge.value = value;
  return metric;
}

ClientMetric ToMetric(const Gauge& gauge) {
  return GaugeMetric(static_cast<double>(gauge.value()));
}

template <const auto& kBounds, int64_t kPerUnit>
ClientMetric ToMetric(const Histogram<kBounds, kPerUnit>& histogram) {
  constexpr size_t kBuckets = Histogram<kBounds, kPerUnit>::kBuckets;
  ClientMetric metric;
  metric.histogram.sample_sum = histogram.sum();
  metric.histogram.bucket.reserve(kBuckets);
  uint64_t cumulative = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    cumulative += histogram.count(bucket);
    if (bucket + 1 < kBuckets) {
      metric.histogram.bucket.push_back({cumulative, histogram.upper_bound(bucket)});
    }
  }
  // The serializer adds the bucket of +Inf from the count, so the two always agree.
  metric.histogram.sample_count = cumulative;
  return metric;
}

MetricType TypeOf(const Counter&) { return MetricType::Counter; }
MetricType TypeOf(const Gauge&) { return MetricType::Gauge; }
template <const auto& kBounds, int64_t kPerUnit>
MetricType TypeOf(const Histogram<kBounds, kPerUnit>&) {
  return MetricType::Histogram;
}

void AddSample(MetricFamily& family, ClientMetric metric, std::vector<Label> labels) {
  metric.label = std::move(labels);
  family.metric.push_back(std::move(metric));
}

std::vector<Label> LabelsOf(const NetworkSeries& network, std::initializer_list<Label> more = {}) {
  std::vector<Label> labels;
  labels.reserve(2 + more.size());
  labels.push_back({"model", network.model});
  labels.push_back({"version", network.version});
  labels.insert(labels.end(), more);
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

class Families {
 public:
  Families(const ServerSeries& server, const MethodTable& methods,
           const std::vector<std::shared_ptr<const NetworkSeries>>& networks)
      : server_(server), methods_(methods), networks_(networks) {}

  std::vector<MetricFamily> Take() && { return std::move(families_); }

  // One series of the server.
  void Server(const char* name, const char* help, const Gauge& gauge) {
    AddSample(Family(name, help, MetricType::Gauge), ToMetric(gauge), {});
  }

  void BuildInfo(const char* name, const char* help) {
    std::vector<Label> labels;
    for (const auto& [key, value] : server_.build_labels) labels.push_back({key, value});
    AddSample(Family(name, help, MetricType::Gauge), GaugeMetric(1), std::move(labels));
  }

  // One series of each network.
  template <typename Instrument>
  void PerNetwork(const char* name, const char* help, Instrument NetworkSeries::*instrument) {
    MetricFamily& family = Family(name, help, TypeOf(Instrument{}));
    for (const auto& network : networks_) {
      AddSample(family, ToMetric(*network.*instrument), LabelsOf(*network));
    }
  }

  // One series of each network and value of `label`.
  template <size_t kSize>
  void PerNetworkBy(const char* label, const std::array<std::string_view, kSize>& values,
                    const char* name, const char* help,
                    std::array<Counter, kSize> NetworkSeries::*counters) {
    MetricFamily& family = Family(name, help, MetricType::Counter);
    for (const auto& network : networks_) {
      for (size_t i = 0; i < kSize; ++i) {
        AddSample(family, ToMetric((*network.*counters)[i]),
                  LabelsOf(*network, {{label, std::string(values[i])}}));
      }
    }
  }

  void StartedCalls(const char* name, const char* help) {
    MetricFamily& family = NewFamily(kGrpc, name, help, MetricType::Counter);
    for (const auto& method : methods_) {
      AddSample(family, ToMetric(method->started), {{"grpc_method", method->method}});
    }
  }

  template <typename Histogram>
  void EndedCalls(const char* name, const char* help, Histogram MethodSeries::Ended::*histogram) {
    MetricFamily& family = NewFamily(kGrpc, name, help, MetricType::Histogram);
    for (const auto& method : methods_) {
      for (size_t i = 0; i < kStatusCodes; ++i) {
        const auto code = static_cast<absl::StatusCode>(i);
        const Histogram& calls = method->ended[i].*histogram;
        const bool always =
            code == absl::StatusCode::kOk || (IsInference(method->method) && IsAnswered(code));
        if (!always && calls.empty()) continue;
        AddSample(
            family, ToMetric(calls),
            {{"grpc_method", method->method}, {"grpc_status", absl::StatusCodeToString(code)}});
      }
    }
  }

  void Requests(const char* name, const char* help) {
    MetricFamily& family = Family(name, help, MetricType::Counter);
    AddSample(family, ToMetric(server_.unknown_model_requests),
              {{"model", ""},
               {"version", ""},
               {"code", absl::StatusCodeToString(absl::StatusCode::kNotFound)}});
    for (const auto& network : networks_) {
      for (size_t i = 0; i < kStatusCodes; ++i) {
        const auto code = static_cast<absl::StatusCode>(i);
        if (!IsAnswered(code) && network->requests[i].value() == 0) continue;
        AddSample(family, ToMetric(network->requests[i]),
                  LabelsOf(*network, {{"code", absl::StatusCodeToString(code)}}));
      }
    }
  }

  void Materializations(const char* name, const char* help) {
    MetricFamily& family = Family(name, help, MetricType::Counter);
    for (const auto& network : networks_) {
      for (size_t source = 0; source < kSources.size(); ++source) {
        for (size_t outcome = 0; outcome < kOutcomes.size(); ++outcome) {
          AddSample(family, ToMetric(network->materializations[source][outcome]),
                    LabelsOf(*network, {{"source", std::string(kSources[source])},
                                        {"outcome", std::string(kOutcomes[outcome])}}));
        }
      }
    }
  }

  void States(const char* name, const char* help) {
    MetricFamily& family = Family(name, help, MetricType::Gauge);
    for (const auto& network : networks_) {
      const int present = network->state.load(std::memory_order_relaxed);
      for (size_t i = 0; i < kStates.size(); ++i) {
        AddSample(family, GaugeMetric(static_cast<int>(i) == present ? 1 : 0),
                  LabelsOf(*network, {{"state", std::string(kStates[i])}}));
      }
    }
  }

 private:
  static constexpr const char* kOwn = "lazynet_";
  static constexpr const char* kGrpc = "grpc_server_call_";

  // The reference is good until the next family is begun.
  MetricFamily& NewFamily(const char* prefix, const char* name, const char* help, MetricType type) {
    return families_.emplace_back(MetricFamily{std::string(prefix) + name, help, type, {}});
  }
  MetricFamily& Family(const char* name, const char* help, MetricType type) {
    return NewFamily(kOwn, name, help, type);
  }

  const ServerSeries& server_;
  const MethodTable& methods_;
  const std::vector<std::shared_ptr<const NetworkSeries>>& networks_;
  std::vector<MetricFamily> families_;
};

}  // namespace

std::vector<MetricFamily> CollectFamilies(
    const ServerSeries& server, const MethodTable& methods,
    const std::vector<std::shared_ptr<const NetworkSeries>>& networks) {
  Families families(server, methods, networks);

  families.BuildInfo("build_info", "Always 1; its labels say what runs.");
  families.Server("lanes", "Lanes that serve.", server.lanes);
  families.Server("queue_depth", "Requests waiting for a lane.", server.queue_depth);
  families.Server("queue_capacity",
                  "Requests of a model that may wait for a lane, unless its options say otherwise.",
                  server.queue_capacity);
  families.Server("build_queue_depth", "Materializations and plans waiting for a build lane.",
                  server.build_queue_depth);
  families.Server("workspace_bytes", "Memory of the lanes for intermediate values.",
                  server.workspace_bytes);
  families.Server("memory_budget_bytes", "Memory that all networks may take together.",
                  server.memory_budget_bytes);
  families.Server("memory_used_bytes",
                  "What they take of it: parameters, packed weights, plans and workspaces.",
                  server.memory_used_bytes);

  families.Requests("requests_total", "Inference requests answered, by gRPC code.");
  families.PerNetwork("request_duration_seconds", "From a request's arrival to its answer.",
                      &NetworkSeries::request_duration);
  families.PerNetwork("queue_duration_seconds", "A request's wait for a lane.",
                      &NetworkSeries::queue_duration);
  families.PerNetwork("compute_duration_seconds", "Running one batch on a lane.",
                      &NetworkSeries::compute_duration);
  families.PerNetwork("batch_size", "Elements of the batch axis that were computed together.",
                      &NetworkSeries::batch_size);
  families.PerNetwork("requests_in_flight", "Requests that arrived and are not answered yet.",
                      &NetworkSeries::requests_in_flight);
  families.PerNetworkBy("reason", kShedReasons, "shed_total", "Requests refused to shed load.",
                        &NetworkSeries::shed);
  families.PerNetworkBy("stage", kDeadlineStages, "deadline_expired_total",
                        "Requests whose deadline passed before they were computed.",
                        &NetworkSeries::deadline_expired);

  families.Materializations("materializations_total",
                            "Attempts to materialize, by what fixed the lazy sizes.");
  families.PerNetwork("materialize_duration_seconds", "Successful materializations.",
                      &NetworkSeries::materialize_duration);
  families.States("network_state", "1 for the present state, 0 for the others.");
  families.PerNetwork("uninitialized_parameters", "Parameters that wait for materialization.",
                      &NetworkSeries::uninitialized_parameters);
  families.PerNetwork("parameter_bytes", "Memory of the parameters.",
                      &NetworkSeries::parameter_bytes);
  families.PerNetwork("mapped_parameter_bytes",
                      "Those in mapped checkpoint files, in memory only while they are read.",
                      &NetworkSeries::mapped_parameter_bytes);
  families.PerNetwork("packed_weight_bytes", "Memory of the weights packed for the kernels.",
                      &NetworkSeries::packed_weight_bytes);

  families.PerNetworkBy("outcome", kOutcomes, "plan_builds_total", "Attempts to build a plan.",
                        &NetworkSeries::plan_builds);
  families.PerNetwork("plan_build_duration_seconds", "Successful builds of a plan.",
                      &NetworkSeries::plan_build_duration);
  families.PerNetwork("plan_cache_hits_total", "Batches whose plan was in the cache.",
                      &NetworkSeries::plan_cache_hits);
  families.PerNetwork("plan_cache_misses_total", "Batches whose plan was not in the cache.",
                      &NetworkSeries::plan_cache_misses);
  families.PerNetwork("plan_cache_evictions_total", "Plans dropped from the cache.",
                      &NetworkSeries::plan_cache_evictions);
  families.PerNetwork("plan_age_at_eviction_seconds",
                      "How long plans were in the cache that were dropped.",
                      &NetworkSeries::plan_age_at_eviction);
  families.PerNetworkBy("what", kEvictedParts, "evictions_total",
                        "What was dropped to make room for others.", &NetworkSeries::evictions);
  families.PerNetwork("parameter_age_at_eviction_seconds",
                      "How long parameters were in memory that were dropped.",
                      &NetworkSeries::parameter_age_at_eviction);
  families.PerNetwork("plan_cache_entries", "Plans in the cache.",
                      &NetworkSeries::plan_cache_entries);
  families.PerNetwork("plan_cache_bytes", "Memory of the plans in the cache.",
                      &NetworkSeries::plan_cache_bytes);

  families.StartedCalls("started_total", "Calls that began.");
  families.EndedCalls("duration_seconds", "From a call's beginning to its end.",
                      &MethodSeries::Ended::duration);
  families.EndedCalls("rcvd_total_compressed_message_size_bytes",
                      "Received in the messages of a call.", &MethodSeries::Ended::received_bytes);
  families.EndedCalls("sent_total_compressed_message_size_bytes", "Sent in the messages of a call.",
                      &MethodSeries::Ended::sent_bytes);

  return std::move(families).Take();
}

}  // namespace lazynet::metrics
