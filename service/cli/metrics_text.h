#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/status.h"

namespace lazynet::cli {

// One series of a page of metrics.
struct MetricSample {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string>> labels;
  double value = 0;

  // Empty for a label that is not there.
  std::string_view Label(std::string_view name) const;
};

// Reads a page in Prometheus' text format, whose text the samples look into, and calls `take` with
// each. INTERNAL, with the line, for what is none.
absl::Status ReadMetrics(std::string_view page,
                         const std::function<void(const MetricSample&)>& take);

}  // namespace lazynet::cli
