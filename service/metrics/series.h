#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/metrics/instruments.h"

namespace lazynet::metrics {

// The closed sets of label values, in the order of the instruments that count them. The last one of
// a set that callers name by text takes what is not in the set.
inline constexpr std::array<std::string_view, 6> kShedReasons = {
    "queue_full", "queue_wait", "deadline", "build_queue_full", "draining", "other"};
inline constexpr std::array<std::string_view, 3> kDeadlineStages = {"queue", "build", "other"};
inline constexpr std::array<std::string_view, 2> kOutcomes = {"success", "failure"};
inline constexpr std::array<std::string_view, 8> kSources = {
    "first_request", "admin",      "at_load", "checkpoint",
    "client",        "definition", "warm_up", "evicted"};
inline constexpr std::array<std::string_view, 5> kStates = {"lazy", "materializing", "ready",
                                                            "unavailable", "evicted"};
inline constexpr std::array<std::string_view, 3> kEvictedParts = {"plan", "packed_weights",
                                                                  "parameters"};
inline constexpr size_t kStatusCodes = 17;  // gRPC's, OK (0) to UNAUTHENTICATED (16)

// One hosted network's numbers. They lie together in one block, without label texts of their own,
// so that ten thousand networks cost a few tens of megabytes.
struct NetworkSeries {
  std::string model;
  std::string version;
  std::string labels;  // the two as all series show them: model="m",version="1"

  std::array<Counter, kStatusCodes> requests;
  DurationHistogram request_duration;
  DurationHistogram queue_duration;
  DurationHistogram compute_duration;
  BatchSizeHistogram batch_size;
  Gauge requests_in_flight;
  std::array<Counter, kShedReasons.size()> shed;
  std::array<Counter, kDeadlineStages.size()> deadline_expired;

  std::array<std::array<Counter, kOutcomes.size()>, kSources.size()> materializations;
  PreparationHistogram materialize_duration;
  std::atomic<int> state{-1};  // index in kStates; -1 until it is first told
  Gauge uninitialized_parameters;
  Gauge parameter_bytes;
  Gauge mapped_parameter_bytes;
  Gauge packed_weight_bytes;

  std::array<Counter, kOutcomes.size()> plan_builds;
  PreparationHistogram plan_build_duration;
  Counter plan_cache_hits;
  Counter plan_cache_misses;
  Counter plan_cache_evictions;
  AgeHistogram plan_age_at_eviction;
  std::array<Counter, kEvictedParts.size()> evictions;
  AgeHistogram parameter_age_at_eviction;
  Gauge plan_cache_entries;
  Gauge plan_cache_bytes;
};

// The calls of one gRPC method, as gRFC A66 counts them.
struct MethodSeries {
  struct Ended {
    DurationHistogram duration;
    MessageBytesHistogram sent_bytes;
    MessageBytesHistogram received_bytes;
  };

  std::string method;  // package.Service/Method, or "other"
  Counter started;
  std::array<Ended, kStatusCodes> ended;  // by code
};

using MethodTable = std::vector<std::shared_ptr<MethodSeries>>;  // by method

// The whole server's numbers.
struct ServerSeries {
  std::vector<std::pair<std::string, std::string>> build_labels;
  std::array<Counter, kStatusCodes> unassigned_requests;  // to no network, by code
  Gauge queue_depth;
  Gauge queue_capacity;
  Gauge build_queue_depth;
  Gauge lanes;
  Gauge workspace_bytes;
  Gauge memory_budget_bytes;
  Gauge memory_used_bytes;
};

}  // namespace lazynet::metrics
