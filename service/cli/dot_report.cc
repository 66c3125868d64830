#include "service/cli/dot_report.h"

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "service/cli/op_color.h"
#include "service/cli/plan_format.h"
#include "service/cli/table.h"

namespace lazynet::cli::dot {
namespace {

// Text between quotes, as a label of so many lines; empty ones are left out.
std::string Quoted(const std::vector<std::string>& lines) {
  std::string quoted = "\"";
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    if (quoted.size() > 1) quoted += "\\n";
    for (const char c : Printable(line)) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string NodeOf(const v1::PlanValue& value) {
  return value.has_step() ? fmt::format("step_{}", value.step())
                          : fmt::format("input_{}", value.input());
}

void PrintEdge(const v1::PlanValue& value, std::string_view to, std::ostream& out) {
  if (!value.has_step() && !value.has_input()) return;
  out << fmt::format("  {} -> {} [label={}];\n", NodeOf(value), to, Quoted({ValueText(value)}));
}

}  // namespace

void Print(const v1::DescribePlanResponse& plan, std::ostream& out) {
  out << "digraph plan {\n"
      << fmt::format("  label={};\n",
                     Quoted({plan.name() + " version " + plan.version(), GroupsText(plan)}))
      << "  labelloc=t;\n"
         "  node [shape=box, style=filled, fillcolor=white, fontname=\"sans-serif\"];\n"
         "  edge [fontname=\"sans-serif\", fontsize=10];\n";
  for (int i = 0; i < plan.inputs_size(); ++i) {
    out << fmt::format("  input_{} [shape=ellipse, label={}];\n", i,
                       Quoted({plan.inputs(i).name()}));
  }
  const double whole = Totals(plan).measured_microseconds;
  for (int i = 0; i < plan.steps_size(); ++i) {
    const v1::PlanStep& step = plan.steps(i);
    std::string time;
    if (plan.profile_runs() > 0) {
      time = TimeText(step.measured_microseconds()) + ", " +
             ShareText(Share(step, step.measured_microseconds(), whole), 1);
    }
    out << fmt::format("  step_{} [fillcolor=\"{}\", label={}];\n", i, OpColor(step.op()),
                       Quoted({fmt::format("#{} {}", i, step.layer()), OpText(step),
                               step.implementation(), time}));
  }
  for (int i = 0; i < plan.outputs_size(); ++i) {
    out << fmt::format("  output_{} [shape=ellipse, label={}];\n", i,
                       Quoted({plan.outputs(i).name()}));
  }
  for (int i = 0; i < plan.steps_size(); ++i) {
    for (const v1::PlanValue& input : plan.steps(i).inputs()) {
      PrintEdge(input, fmt::format("step_{}", i), out);
    }
  }
  for (int i = 0; i < plan.output_values_size(); ++i) {
    PrintEdge(plan.output_values(i), fmt::format("output_{}", i), out);
  }
  out << "}\n";
}

}  // namespace lazynet::cli::dot
