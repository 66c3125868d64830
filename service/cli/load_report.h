#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/inference.pb.h"
#include "service/cli/load_generator.h"

namespace lazynet::cli {

// What the server spent on a request, on average, by its own ModelStatistics.
struct ServerTimes {
  uint64_t requests = 0;
  std::chrono::nanoseconds queue{0}, compute_input{0}, compute_infer{0}, compute_output{0};
};

// Between two moments; nothing when no request was answered in between.
std::optional<ServerTimes> ServerTimesBetween(const inference::ModelStatistics& before,
                                              const inference::ModelStatistics& after);

struct LoadLevelReport {
  LoadLevel level;
  LoadWindow measured;  // the windows that count
  bool stable = false;  // they agree
  std::optional<ServerTimes> server;
};

struct LoadReport {
  std::string model;
  int64_t items = 1;                         // of a request
  std::chrono::nanoseconds first_answer{0};  // before all load
  std::vector<LoadLevelReport> levels;
};

// Whether windows agree: rates and median latencies are within a tenth of their mean.
bool AreStable(const std::vector<LoadWindow>& windows);

}  // namespace lazynet::cli
