#include "service/cli/markdown_bench.h"

#include <ostream>
#include <string>

#include "service/cli/bench_tables.h"

namespace lazynet::cli::markdown {
namespace {

// Text that is no markup.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    if (std::string_view("|\\`*_[]<>#").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void Print(const char* title, const BenchTable& table, std::ostream& out) {
  if (table.rows.empty()) return;
  out << "\n## " << title << "\n\n|";
  for (const Table::Column& column : table.columns) out << ' ' << Escaped(column.title) << " |";
  out << "\n|";
  for (const Table::Column& column : table.columns) out << (column.right_aligned ? "--:|" : "---|");
  for (const auto& row : table.rows) {
    out << "\n|";
    for (const std::string& cell : row) out << ' ' << Escaped(cell) << " |";
  }
  out << '\n';
}

}  // namespace

void Print(const LoadReport& report, std::ostream& out) {
  out << "# " << Escaped(report.model) << "\n\n"
      << "Latencies in us; queue, input, infer and output are the server's own means.\n";
  Print("First answers", KindTable(report), out);
  Print("Load", LevelTable(report), out);
  Print("By request", LevelKindTable(report), out);
}

}  // namespace lazynet::cli::markdown
