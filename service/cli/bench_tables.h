#pragma once

#include <string>
#include <vector>

#include "service/cli/load_report.h"
#include "service/cli/table.h"

namespace lazynet::cli {

// What the reports of a bench have in common: titles and cells.
struct BenchTable {
  std::vector<Table::Column> columns;
  std::vector<std::vector<std::string>> rows;
};

// In us, to three digits or whole ones.
std::string Microseconds(std::chrono::nanoseconds time);

// "8", or "500/s" for an open loop.
std::string LevelText(const LoadLevel& level);

// A row for each level of load, for each kind of request, and, if there are several kinds, for each
// of them at each level.
BenchTable LevelTable(const LoadReport& report);
BenchTable KindTable(const LoadReport& report);
BenchTable LevelKindTable(const LoadReport& report);

}  // namespace lazynet::cli
