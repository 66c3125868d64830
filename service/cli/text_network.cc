#include <fmt/format.h>

#include <ostream>

#include "service/cli/enum_text.h"
#include "service/cli/table.h"
#include "service/cli/text_format.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

// `weight` for `fc1.weight` of layer `fc1`.
std::string LocalName(const v1::LayerDescription& layer,
                      const v1::ParameterDescription& parameter) {
  const std::string prefix = layer.name() + ".";
  return parameter.name().starts_with(prefix) ? parameter.name().substr(prefix.size())
                                              : parameter.name();
}

void PrintLayers(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  if (response.layers_size() == 0) return;
  Table table(
      {{"layer"}, {"type"}, {"parameter"}, {"datatype"}, {"shape"}, {"origin"}, {"bytes", true}});
  for (const v1::LayerDescription& layer : response.layers()) {
    if (layer.parameters_size() == 0) table.Add({layer.name(), layer.type(), "", "", "", "", ""});
    for (int i = 0; i < layer.parameters_size(); ++i) {
      const v1::ParameterDescription& parameter = layer.parameters(i);
      const bool known = parameter.state() == v1::PARAMETER_STATE_INITIALIZED;
      table.Add({i == 0 ? layer.name() : "", i == 0 ? layer.type() : "",
                 LocalName(layer, parameter), parameter.datatype(), ParameterShape(parameter),
                 (known ? EnumText(parameter.origin()) : EnumText(parameter.state())) +
                     (parameter.buffer() ? " (buffer)" : ""),
                 known ? Bytes(parameter.bytes()) : "-"});
    }
  }
  out << '\n';
  table.Print(out);
}

void PrintSummary(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  std::string parameters = fmt::format("{} elements known", response.known_parameter_count());
  if (response.unknown_parameters_size() > 0) {
    parameters += fmt::format("; {} without a size: {}", response.unknown_parameters_size(),
                              Join(response.unknown_parameters()));
  }
  out << '\n';
  PrintLine("parameters", parameters, out);
  PrintLine("hash",
            response.parameter_hash().empty() ? "none: some parameters have no values"
                                              : response.parameter_hash(),
            out);
  PrintLine("memory",
            fmt::format("{} parameters, {} packed weights", Bytes(response.parameter_bytes()),
                        Bytes(response.packed_weight_bytes())),
            out);
  if (!response.compute().empty()) PrintLine("compute", response.compute(), out);
  PrintLine("inputs", TensorsText(response.inputs()), out);
  PrintLine("outputs", TensorsText(response.outputs()), out);
  if (response.binding_policy() != v1::BINDING_POLICY_UNSPECIFIED) {
    PrintLine("policy", EnumText(response.binding_policy()), out);
  }
  PrintLine("binding",
            response.has_binding() ? BindingText(response.binding())
                                   : "none: nothing has fixed the sizes yet",
            out);
  if (!response.state_set_aside().empty()) {
    PrintLine("state", "set aside: " + response.state_set_aside(), out);
  }
}

void PrintPlans(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  if (response.plans_size() == 0) {
    PrintLine("plans", "none", out);
    return;
  }
  Table table({{"plan for"},
               {"compute"},
               {"threads", true},
               {"arena", true},
               {"scratch", true},
               {"ops", true}});
  for (const v1::Plan& plan : response.plans()) {
    table.Add({TensorsText(plan.inputs()), plan.compute(), std::to_string(plan.threads()),
               Bytes(plan.arena_bytes()), Bytes(plan.scratch_bytes()),
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
  PrintLayers(response, out);
  PrintSummary(response, out);
  PrintPlans(response, out);
}

}  // namespace lazynet::cli::text
