#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace lazynet::cli {

// Text of others as a terminal may get it: control characters become '?', but for newlines if
// `lines`.
std::string Printable(std::string_view text, bool lines = false);

// Rows of text in aligned columns, two spaces apart. Cells are made printable.
class Table {
 public:
  struct Column {
    std::string title;
    bool right_aligned = false;
  };

  explicit Table(std::vector<Column> columns);

  // One cell per column.
  void Add(std::vector<std::string> cells);

  // Titles first, then the rows, in the order added.
  void Print(std::ostream& out) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace lazynet::cli
