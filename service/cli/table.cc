#include "service/cli/table.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "engine/core/check.h"

namespace lazynet::cli {
namespace {

// Characters, not bytes, of UTF-8.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::string Printable(std::string_view text, bool lines) {
  std::string printable(text);
  for (char& c : printable) {
    const auto code = static_cast<unsigned char>(c);
    if ((code < 0x20 && !(lines && c == '\n')) || code == 0x7F) c = '?';
  }
  return printable;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  Add(std::move(titles));
}

void Table::Add(std::vector<std::string> cells) {
  LAZYNET_CHECK(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

void Table::Print(std::ostream& out) const {
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - Width(row[i]), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].right_aligned ? padding + row[i] : row[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

}  // namespace lazynet::cli
