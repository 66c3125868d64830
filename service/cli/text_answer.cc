#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <type_traits>

#include "service/cli/table.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

// A tensor as rows along its innermost axis; a scalar is a row of one.
struct Grid {
  explicit Grid(const Tensor& values) : tensor(values) {
    const Shape& shape = tensor.shape();
    columns = shape.rank() == 0 ? 1 : shape.dim(-1);
    for (int axis = 0; axis + 1 < shape.rank(); ++axis) count *= shape.dim(axis);
  }

  Element At(int64_t row, int64_t column) const {
    return ElementAt(tensor, row * columns + column);
  }

  // The indices of the outer axes: "3", or "0,3".
  std::string Label(int64_t row) const {
    std::string label;
    for (int axis = tensor.shape().rank() - 2; axis >= 0; --axis) {
      const int64_t dim = tensor.shape().dim(axis);
      label = fmt::format("{}{}{}", row % dim, label.empty() ? "" : ",", label);
      row /= dim;
    }
    return label;
  }

  const Tensor& tensor;
  int64_t count = 1;
  int64_t columns = 1;
};

std::string Text(const Element& element) {
  return std::visit(
      [](auto value) {
        if constexpr (std::is_floating_point_v<decltype(value)>) {
          return fmt::format("{:.5g}", value);
        } else {
          return fmt::format("{}", value);
        }
      },
      element);
}

bool IsNan(const Element& element) {
  return std::visit([](auto value) { return std::isnan(static_cast<double>(value)); }, element);
}

// As NumPy's: the first of the largest values, or the first NaN.
int64_t Argmax(const Grid& rows, int64_t row) {
  int64_t best = 0;
  for (int64_t column = 0; column < rows.columns; ++column) {
    const Element value = rows.At(row, column);
    if (IsNan(value)) return column;
    // All elements of a tensor are of one type, so that this compares values.
    if (value > rows.At(row, best)) best = column;
  }
  return best;
}

// A table of `shown` rows and as many columns as a line has room for.
void PrintRows(const Grid& rows, int64_t shown, int width, std::ostream& out) {
  const int rank = rows.tensor.shape().rank();
  const bool argmax = rank == 2 && rows.columns > 1;
  std::vector<Table::Column> columns;
  if (rank >= 2) columns.push_back({"row", true});
  if (argmax) columns.push_back({"argmax", true});
  const size_t labels = columns.size();
  std::vector<std::vector<std::string>> cells(static_cast<size_t>(shown));
  int64_t used = 0;
  // Adds a column, and says how much of the line is then in use.
  const auto add = [&](const Table::Column& column, const auto& cell) {
    size_t widest = column.title.size();
    for (int64_t row = 0; row < shown; ++row) {
      auto& line = cells[static_cast<size_t>(row)];
      line.push_back(cell(row));
      widest = std::max(widest, line.back().size());
    }
    used += static_cast<int64_t>(widest) + 2;
  };
  if (rank >= 2) add({"row"}, [&](int64_t row) { return rows.Label(row); });
  if (argmax) add({"argmax"}, [&](int64_t row) { return std::to_string(Argmax(rows, row)); });
  constexpr int64_t kEllipsis = 3;
  for (int64_t column = 0; column < rows.columns; ++column) {
    const Table::Column title{std::to_string(column), true};
    add(title, [&](int64_t row) { return Text(rows.At(row, column)); });
    const int64_t room = column + 1 < rows.columns ? width - kEllipsis : width + 2;
    if (used > room && columns.size() > labels) {
      for (auto& line : cells) line.back() = "...";
      columns.push_back({"..."});
      break;
    }
    columns.push_back(title);
  }
  Table table(std::move(columns));
  for (auto& line : cells) table.Add(std::move(line));
  table.Print(out);
}

}  // namespace

void Print(const Answer& answer, int width, int rows, std::ostream& out) {
  out << Printable(fmt::format("{} version {}", answer.model, answer.version)) << '\n';
  if (answer.timing) {
    out << fmt::format("{}, {} us in the queue, {} us computed\n",
                       answer.timing->cold ? "cold" : "warm", answer.timing->queue.count(),
                       answer.timing->compute.count());
  }
  for (const Output& output : answer.outputs) {
    const std::string title = fmt::format("{} {} {}", output.name, Name(output.tensor.dtype()),
                                          output.tensor.shape().ToString());
    if (!output.file.empty()) {
      out << Printable(fmt::format("{} -> {}", title, output.file)) << '\n';
      continue;
    }
    out << '\n' << Printable(title) << '\n';
    const Grid all(output.tensor);
    if (all.count == 0 || all.columns == 0) continue;
    const int64_t shown = rows == 0 ? all.count : std::min<int64_t>(rows, all.count);
    PrintRows(all, shown, width, out);
    if (shown < all.count) {
      out << fmt::format("... {} more rows (--rows 0 prints all)\n", all.count - shown);
    }
  }
}

}  // namespace lazynet::cli::text
