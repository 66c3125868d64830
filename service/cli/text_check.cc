#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "service/cli/table.h"
#include "service/cli/text_format.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

std::string OutputsText(const std::vector<Shape>& shapes) {
  std::vector<std::string> texts;
  for (const Shape& shape : shapes) texts.push_back(shape.ToString());
  return texts.empty() ? "?" : Join(texts);
}

std::string ParametersText(const CheckedNetwork::Layer& layer) {
  const std::string prefix = layer.name + ".";
  std::vector<std::string> texts;
  for (const CheckedNetwork::Parameter& parameter : layer.parameters) {
    const bool local = parameter.name.starts_with(prefix);
    texts.push_back(parameter.name.substr(local ? prefix.size() : 0) + " " +
                    parameter.shape.ToString());
  }
  return Join(texts);
}

std::string PortsText(const std::vector<CheckedNetwork::Port>& ports) {
  std::vector<std::string> texts;
  for (const CheckedNetwork::Port& port : ports) {
    texts.push_back(fmt::format("{} {} {}", port.name, Name(port.dtype),
                                port.shape ? port.shape->ToString() : "?"));
  }
  return Join(texts);
}

// Thousands in groups: 1,234,567.
std::string Grouped(double number) {
  const std::string digits = fmt::format("{:.0f}", number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

void Print(const CheckedNetwork& network, std::ostream& out) {
  const CheckedTotals totals = Totals(network);
  // Without shapes no layer's are known.
  const bool flops = std::any_of(network.layers.begin(), network.layers.end(),
                                 [](const auto& layer) { return layer.flops.has_value(); });
  std::vector<Table::Column> columns = {{"layer"},      {"type"},        {"output"},
                                        {"parameters"}, {"count", true}, {"bytes", true}};
  if (flops) columns.push_back({"FLOPs", true});
  Table table(std::move(columns));
  for (const CheckedNetwork::Layer& layer : network.layers) {
    std::vector<std::string> cells = {
        layer.name,
        layer.type,
        OutputsText(layer.outputs),
        ParametersText(layer),
        layer.parameter_count ? Grouped(static_cast<double>(*layer.parameter_count)) : "?",
        layer.parameter_bytes ? Bytes(*layer.parameter_bytes) : "?"};
    if (flops) cells.push_back(layer.flops ? Grouped(*layer.flops) : "?");
    table.Add(std::move(cells));
  }
  table.Print(out);
  const std::string unknown =
      totals.unknown_layers == 0
          ? ""
          : fmt::format(" known, without those of {} layers", totals.unknown_layers);
  out << '\n';
  PrintLine("parameters", Grouped(static_cast<double>(totals.parameter_count)) + unknown, out);
  PrintLine("memory", Bytes(totals.parameter_bytes) + unknown, out);
  if (totals.flops) PrintLine("FLOPs", Grouped(*totals.flops), out);
  PrintLine("inputs", PortsText(network.inputs), out);
  PrintLine("outputs", PortsText(network.outputs), out);
}

}  // namespace lazynet::cli::text
