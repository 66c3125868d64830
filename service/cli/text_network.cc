#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <ostream>

#include "service/cli/enum_text.h"
#include "service/cli/table.h"
#include "service/cli/text_format.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

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

}  // namespace

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

}  // namespace lazynet::cli::text
