#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <string>

#include "service/cli/table.h"
#include "service/cli/text_format.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

struct Column {
  const char* title;
  int width;
  bool right;
};

// Behind the model's name, which has what is left of the line.
constexpr std::array<Column, 9> kColumns = {{{"VER", 3, true},
                                             {"STATE", 7, false},
                                             {"REQ/S", 6, true},
                                             {"ERR/S", 6, true},
                                             {"P50", 6, true},
                                             {"P99", 6, true},
                                             {"FLY", 4, true},
                                             {"WAIT", 6, true},
                                             {"MEMORY", 10, true}}};
constexpr int kLeastName = 8;

std::string Rate(double per_second) {
  if (per_second == 0) return "0";
  if (per_second < 10) return fmt::format("{:.2f}", per_second);
  if (per_second < 100) return fmt::format("{:.1f}", per_second);
  if (per_second < 99'999.5) return fmt::format("{:.0f}", per_second);
  return fmt::format("{:.0f}k", per_second / 1000);
}

std::string Duration(double seconds) {
  if (std::isnan(seconds)) return "-";
  if (seconds < 0.9995e-3) return fmt::format("{:.0f}us", seconds * 1e6);
  if (seconds < 9.995e-3) return fmt::format("{:.2f}ms", seconds * 1e3);
  if (seconds < 0.9995) return fmt::format("{:.0f}ms", seconds * 1e3);
  return fmt::format("{:.1f}s", seconds);
}

std::string UpTime(double seconds) {
  const auto minutes = static_cast<int64_t>(std::max(seconds, 0.0)) / 60;
  if (minutes < 60) return fmt::format("{} min", minutes);
  if (minutes < 48 * 60) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  return fmt::format("{} days", minutes / (24 * 60));
}

std::string BytesOf(double bytes) { return Bytes(static_cast<uint64_t>(std::max(bytes, 0.0))); }

// Exactly `width` characters.
std::string Cell(std::string text, int width, bool right) {
  const auto most = static_cast<size_t>(width);
  if (text.size() > most) text = text.substr(0, most - 1) + "~";
  return right ? fmt::format("{:>{}}", text, width) : fmt::format("{:<{}}", text, width);
}

std::string Line(const std::string& name, int name_width,
                 const std::array<std::string, kColumns.size()>& cells) {
  std::string line = Cell(name, name_width, false);
  for (size_t i = 0; i < cells.size(); ++i) {
    line.append(" ").append(Cell(cells[i], kColumns[i].width, kColumns[i].right));
  }
  return line;
}

std::vector<std::string> Header(const ServerLoad& load, const std::string& address, double now) {
  const ServerSample& server = load.server;
  std::string memory = fmt::format("memory: models {}, workspaces {}", BytesOf(load.model_bytes),
                                   BytesOf(server.workspace_bytes));
  if (server.memory_budget_bytes > 0) {
    memory += fmt::format(", budget {}", BytesOf(server.memory_budget_bytes));
  }
  return {
      fmt::format("lazynet {} at {}, up {}, {:.2f} CPUs, {} resident", server.version, address,
                  UpTime(now - server.start_seconds), load.cpus, BytesOf(server.resident_bytes)),
      fmt::format("{} requests/s, {} errors/s; {} lanes, {} of {} queued, {} builds queued",
                  Rate(load.answers_per_second), Rate(load.errors_per_second), server.lanes,
                  server.queue_depth, server.queue_capacity, server.build_queue_depth),
      memory};
}

}  // namespace

std::vector<std::string> TopFrame(const ServerLoad& load, const std::string& address, double now,
                                  TerminalSize size) {
  std::vector<std::string> lines = Header(load, address, now);
  lines.emplace_back();
  int name_width = size.columns;
  for (const Column& column : kColumns) name_width -= column.width + 1;
  name_width = std::max(name_width, kLeastName);
  std::array<std::string, kColumns.size()> cells;
  for (size_t i = 0; i < cells.size(); ++i) cells[i] = kColumns[i].title;
  lines.push_back(Line("MODEL", name_width, cells));
  // The last line is left for the cursor.
  const size_t room =
      size.rows == 0
          ? load.models.size()
          : static_cast<size_t>(std::max<int>(size.rows - 1 - static_cast<int>(lines.size()), 1));
  const size_t shown = load.models.size() > room ? room - 1 : load.models.size();
  for (size_t i = 0; i < shown; ++i) {
    const ModelLoad& model = load.models[i];
    lines.push_back(Line(
        model.name, name_width,
        {model.version, model.state, Rate(model.answers_per_second), Rate(model.errors_per_second),
         Duration(model.p50_seconds), Duration(model.p99_seconds),
         fmt::format("{}", model.in_flight), Duration(model.queue_seconds), BytesOf(model.bytes)}));
  }
  if (shown < load.models.size()) {
    lines.push_back(fmt::format("... {} more models", load.models.size() - shown));
  }
  for (std::string& line : lines) {
    line = Printable(line);
    if (line.size() > static_cast<size_t>(size.columns))
      line.resize(static_cast<size_t>(size.columns));
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace lazynet::cli::text
