#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/inference.pb.h"
#include "service/cli/load_generator.h"

namespace lazynet::cli {

// What the server spent on a request, on average, by its own ModelStatistics.
struct ServerTimes {
  uint64_t requests = 0;
  std::chrono::nanoseconds queue{0}, compute_input{0}, compute_infer{0}, compute_output{0};
};

// By model and version.
using StatisticsByModel = std::map<std::pair<std::string, std::string>, inference::ModelStatistics>;

// Between two moments, of all models together; nothing when no request was answered in between. A
// model that was loaded again, or told only once, is left out.
std::optional<ServerTimes> ServerTimesBetween(const StatisticsByModel& before,
                                              const StatisticsByModel& after);

// A part of the time of a level.
struct LoadMoment {
  double seconds = 0;  // of its end, since the level began
  double per_second = 0;
  std::chrono::nanoseconds p50{0}, p99{0}, max{0};
};

struct LoadLevelReport {
  LoadLevel level;
  LoadWindow measured;             // the windows that count
  bool stable = false;             // they agree
  std::map<int, uint64_t> errors;  // by gRPC's code, of all requests, in those windows or not
  std::optional<ServerTimes> server;
  std::vector<LoadMoment> moments;  // of all windows; those without an answer are left out
};

// A kind of request and its first answers, before all load: the first may have to wait for the
// network's parameters or for a plan for its shapes, the second does not.
struct KindReport {
  std::string text;
  double weight = 1;
  int64_t items = 1;  // of a request
  std::chrono::nanoseconds first_answer{0};
  std::chrono::nanoseconds second_answer{0};
  std::optional<bool> cold;  // the first one waited; nothing if the server does not tell
};

struct LoadReport {
  std::string model;  // or what the mix is called
  std::vector<KindReport> kinds;
  std::vector<LoadLevelReport> levels;
};

double ItemsPerSecond(const LoadReport& report, const LoadLevelReport& level);

// Whether windows agree: rates and median latencies are within a tenth of their mean.
bool AreStable(const std::vector<LoadWindow>& windows);

}  // namespace lazynet::cli
