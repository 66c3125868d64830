#pragma once

#include <iosfwd>

#include "service/cli/load_report.h"

namespace lazynet::cli::svg {

// A picture of its own, all latencies on a log scale: by percentile, the tail drawn out, and over
// the time of each level, as p50 and p99 (dashed) of each tenth of a window.
void Print(const LoadReport& report, std::ostream& out);

}  // namespace lazynet::cli::svg
