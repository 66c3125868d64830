#include <fmt/format.h>

#include <ostream>
#include <utility>

#include "service/cli/bench_tables.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

void Print(BenchTable content, std::ostream& out) {
  if (content.rows.empty()) return;
  Table table(std::move(content.columns));
  for (auto& row : content.rows) table.Add(std::move(row));
  table.Print(out);
}

}  // namespace

void Print(const LoadReport& report, std::ostream& out) {
  if (report.kinds.size() == 1) {
    const KindReport& kind = report.kinds[0];
    out << fmt::format("{}, {} item{} a request, first answer {} us{}, second {} us\n",
                       Printable(report.model), kind.items, kind.items == 1 ? "" : "s",
                       Microseconds(kind.first_answer), kind.cold.value_or(false) ? " (cold)" : "",
                       Microseconds(kind.second_answer));
  } else {
    out << Printable(report.model) << '\n';
    Print(KindTable(report), out);
    out << '\n';
  }
  Print(LevelTable(report), out);
  if (report.kinds.size() > 1) out << '\n';
  Print(LevelKindTable(report), out);
  out << "Latencies in us; queue to output: the server's own means.\n";
}

}  // namespace lazynet::cli::text
