#include "service/cli/text_report.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <type_traits>

#include "engine/core/shape.h"
#include "service/cli/enum_text.h"
#include "service/cli/table.h"

namespace lazynet::cli::text {
namespace {

template <typename Dims>
std::string ShapeText(const Dims& dims) {
  return Shape(std::span<const int64_t>(dims.data(), static_cast<size_t>(dims.size()))).ToString();
}

// "512 B", "1.5 KiB", ...
std::string Bytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < std::size(kUnits); value /= 1024) ++unit;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

// `input FP32 [2, 64], mask BOOL [2]`, for any messages with a name, a datatype and a shape.
template <typename Signatures>
std::string TensorsText(const Signatures& signatures) {
  std::string text;
  for (const auto& tensor : signatures) {
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", tensor.name(), tensor.datatype(),
                        ShapeText(tensor.shape()));
  }
  return text;
}

void PrintParameters(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  Table table({{"parameter"}, {"datatype"}, {"shape"}, {"origin"}, {"bytes", true}});
  int count = 0;
  for (const v1::LayerDescription& layer : response.layers()) {
    for (const v1::Parameter& parameter : layer.parameters()) {
      ++count;
      const bool known = parameter.state() == v1::PARAMETER_STATE_INITIALIZED;
      // An empty shape is a scalar's; of what has no size yet it says nothing.
      const bool shapeless = !known && parameter.shape_size() == 0;
      table.Add({parameter.name(), parameter.datatype(),
                 shapeless ? "?" : ShapeText(parameter.shape()),
                 (known ? EnumText(parameter.origin()) : EnumText(parameter.state())) +
                     (parameter.buffer() ? " (buffer)" : ""),
                 known ? Bytes(parameter.bytes()) : "-"});
    }
  }
  if (count == 0) return;
  out << '\n';
  table.Print(out);
}

void PrintTotals(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  out << fmt::format("\nparameters  {} elements known", response.known_parameter_count());
  if (response.unknown_parameters_size() > 0) {
    out << fmt::format("; {} without a size:", response.unknown_parameters_size());
    for (const std::string& name : response.unknown_parameters()) out << ' ' << Printable(name);
  }
  out << fmt::format("\nmemory      {} parameters, {} packed weights\n",
                     Bytes(response.parameter_bytes()), Bytes(response.packed_weight_bytes()));
}

void PrintBinding(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  if (!response.has_binding()) {
    out << "binding     none: nothing has fixed the sizes yet\n";
    return;
  }
  const v1::Binding& binding = response.binding();
  std::string line = binding.source();
  if (binding.inputs_size() > 0) line += " of " + TensorsText(binding.inputs());
  line += fmt::format(", seed {}, draw order {}", binding.seed(), binding.draw_order());
  if (binding.has_time()) {
    line += ", " + google::protobuf::util::TimeUtil::ToString(binding.time());
  }
  out << "binding     " << Printable(line) << '\n';
}

void PrintPlans(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  if (response.plans_size() == 0) {
    out << "plans       none\n";
    return;
  }
  Table table({{"plan for"}, {"arena", true}, {"scratch", true}, {"ops", true}});
  for (const v1::Plan& plan : response.plans()) {
    table.Add({TensorsText(plan.inputs()), Bytes(plan.arena_bytes()), Bytes(plan.scratch_bytes()),
               std::to_string(plan.op_count())});
  }
  out << '\n';
  table.Print(out);
}

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

void Print(const inference::RepositoryIndexResponse& response, std::ostream& out) {
  if (response.models_size() == 0) {
    out << "no models\n";
    return;
  }
  Table table({{"name"}, {"version", true}, {"state"}, {"reason"}});
  for (const auto& model : response.models()) {
    table.Add({model.name(), model.version(), model.state(), model.reason()});
  }
  table.Print(out);
}

void Print(const inference::ModelMetadataResponse& response, std::ostream& out) {
  std::string versions;
  for (const std::string& version : response.versions()) {
    versions += (versions.empty() ? "" : ", ") + version;
  }
  out << Printable(fmt::format("{} ({}), versions {}", response.name(), response.platform(),
                               versions.empty() ? "none" : versions))
      << "\n\n";
  Table table({{""}, {"name"}, {"datatype"}, {"shape"}});
  for (const auto& tensor : response.inputs()) {
    table.Add({"input", tensor.name(), tensor.datatype(), ShapeText(tensor.shape())});
  }
  for (const auto& tensor : response.outputs()) {
    table.Add({"output", tensor.name(), tensor.datatype(), ShapeText(tensor.shape())});
  }
  table.Print(out);
  const std::map<std::string, std::string> properties(response.properties().begin(),
                                                      response.properties().end());
  if (!properties.empty()) out << '\n';
  for (const auto& [key, value] : properties) {
    out << Printable(fmt::format("{}: {}", key, value)) << '\n';
  }
}

void Print(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  std::string title = response.name();
  if (!response.version().empty()) title += " version " + response.version();
  title += ": " + EnumText(response.state());
  if (!response.reason().empty()) title += ", " + response.reason();
  out << Printable(title) << '\n';
  if (response.state() == v1::NETWORK_STATE_UNAVAILABLE) return;
  if (response.repr_before() != response.repr()) {
    out << "\nas defined:\n" << Printable(response.repr_before(), true) << "\n\nnow:\n";
  } else {
    out << "\nas defined, and now:\n";
  }
  out << Printable(response.repr(), true) << '\n';
  PrintParameters(response, out);
  PrintTotals(response, out);
  PrintBinding(response, out);
  PrintPlans(response, out);
}

void Print(const Answer& answer, int width, int rows, std::ostream& out) {
  out << Printable(fmt::format("{} version {}", answer.model, answer.version)) << '\n';
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
