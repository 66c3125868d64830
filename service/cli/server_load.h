#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/status.h"

namespace lazynet::cli {

// What a server's metrics say of a model at a moment; counts are since it is hosted.
struct ModelSample {
  std::string state;  // lazy, ...; empty if none is told
  double answers = 0;
  double errors = 0;  // answered with another code than OK
  double in_flight = 0;
  double queue_seconds = 0;  // all waits together
  double queue_count = 0;
  double bytes = 0;  // parameters that are not mapped, packed weights, plans
  // Of answers, by the upper bounds of their seconds, the last of which is infinite; cumulative.
  std::vector<std::pair<double, double>> durations;
};

// And of the whole server.
struct ServerSample {
  std::string version;
  double lanes = 0;
  double queue_depth = 0;
  double queue_capacity = 0;
  double build_queue_depth = 0;
  double workspace_bytes = 0;
  double resident_bytes = 0;
  double memory_budget_bytes = 0;  // 0: none is told
  double cpu_seconds = 0;
  double start_seconds = 0;  // since 1970
  double unknown_model_requests = 0;
  std::map<std::pair<std::string, std::string>, ModelSample> models;  // by name and version
};

// From a page of metrics. INTERNAL for one that is none of ours.
absl::StatusOr<ServerSample> ReadServerSample(std::string_view page);

// What went on between two moments.
struct ModelLoad {
  std::string name;
  std::string version;
  std::string state;
  double answers_per_second = 0;
  double errors_per_second = 0;
  // Of all answers in between, interpolated within a histogram's buckets; NaN of none.
  double p50_seconds = 0;
  double p99_seconds = 0;
  double queue_seconds = 0;  // mean wait for a lane; NaN of none
  double in_flight = 0;
  double bytes = 0;
};

struct ServerLoad {
  ServerSample server;  // at the end
  double cpus = 0;      // processors in use
  double answers_per_second = 0;
  double errors_per_second = 0;
  double model_bytes = 0;
  std::vector<ModelLoad> models;  // busiest first, then by name and version
};

// `time` > 0. A model that is new, or that was loaded again, counts from 0.
ServerLoad LoadBetween(const ServerSample& before, const ServerSample& after,
                       std::chrono::duration<double> time);

// The value that a share of what is in a cumulative histogram does not exceed, as Prometheus'
// histogram_quantile interpolates it: the lower end of the last bucket if it lies there. NaN of an
// empty one.
double HistogramQuantile(double share, const std::vector<std::pair<double, double>>& histogram);

}  // namespace lazynet::cli
