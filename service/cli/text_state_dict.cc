#include <fmt/format.h>

#include <ostream>

#include "service/cli/table.h"
#include "service/cli/text_format.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

std::string SideText(const std::optional<Difference::Side>& side) {
  if (!side) return "-";
  return fmt::format("{} {}{}", Name(side->dtype), side->shape.ToString(),
                     side->uninitialized ? " uninitialized" : "");
}

}  // namespace

void Print(const SavedStateDict& saved, std::ostream& out) {
  out << Printable(
             fmt::format("{}: {} keys, {}", saved.file, saved.keys.size(), Bytes(saved.file_bytes)))
      << '\n';
}

void Print(const StateDictDiff& diff, const std::string& a, const std::string& b,
           std::ostream& out) {
  if (!diff.different.empty()) {
    Table table({{"key"}, {a}, {b}, {"largest difference", true}});
    for (const Difference& difference : diff.different) {
      table.Add({difference.key, SideText(difference.a), SideText(difference.b),
                 difference.largest ? fmt::format("{:.6g}", *difference.largest) : "-"});
    }
    table.Print(out);
    out << '\n';
  }
  out << fmt::format("keys: {} differ, {} equal\n", diff.different.size(), diff.equal);
}

}  // namespace lazynet::cli::text
