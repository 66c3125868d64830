#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "service/cli/plan_format.h"
#include "service/cli/table.h"
#include "service/cli/text_format.h"
#include "service/cli/text_report.h"

namespace lazynet::cli::text {
namespace {

// `input dense, #3 nhwc`: what is no constant, with sizes where they are not those of the source.
std::string ReadsText(const v1::DescribePlanResponse& plan, const v1::PlanStep& step) {
  std::vector<std::string> texts;
  for (const v1::PlanValue& value : step.inputs()) {
    if (value.has_constant()) continue;
    std::string text;
    if (value.has_input()) {
      text = plan.inputs(static_cast<int>(value.input())).name() + " " + ValueText(value);
    } else if (value.has_step()) {
      const v1::PlanValue& source = plan.steps(static_cast<int>(value.step())).output();
      const bool same = std::equal(value.shape().begin(), value.shape().end(),
                                   source.shape().begin(), source.shape().end());
      text =
          fmt::format("#{} {}{}", value.step(), same ? "" : SizesText(value) + " ", value.layout());
    } else {
      text = ValueText(value);
    }
    texts.push_back(std::move(text));
  }
  return Join(texts);
}

void PrintSteps(const v1::DescribePlanResponse& plan, std::ostream& out) {
  const bool kernels = plan.has_kernels();
  const bool measured = plan.profile_runs() > 0;
  std::vector<Table::Column> columns = {{"step", true}, {"layer"}, {"op"}};
  if (kernels) columns.insert(columns.end(), {{"kernel"}, {"threads", true}});
  columns.insert(columns.end(), {{"reads"},
                                 {"writes"},
                                 {"read", true},
                                 {"weights", true},
                                 {"written", true},
                                 {"FLOPs", true},
                                 {"estimate", true}});
  if (measured) {
    columns.insert(columns.end(), {{"time", true}, {"share", true}, {"rate", true}});
  }
  Table table(std::move(columns));
  const double whole = Totals(plan).measured_microseconds;
  for (int i = 0; i < plan.steps_size(); ++i) {
    const v1::PlanStep& step = plan.steps(i);
    std::vector<std::string> cells = {fmt::format("#{}", i), step.layer(), OpText(step)};
    if (kernels) {
      cells.insert(cells.end(), {step.implementation(), std::to_string(step.threads())});
    }
    cells.insert(cells.end(),
                 {ReadsText(plan, step), step.has_output() ? ValueText(step.output()) : "",
                  Bytes(step.bytes_read()), Bytes(step.weight_bytes()), Bytes(step.bytes_written()),
                  CountText(step.flops()), TimeText(step.estimated_microseconds())});
    if (measured) {
      const double time = step.measured_microseconds();
      cells.insert(cells.end(), {TimeText(time), ShareText(Share(step, time, whole), 1),
                                 RateText(step.flops(), time)});
    }
    table.Add(std::move(cells));
  }
  out << '\n';
  table.Print(out);
}

void PrintByOp(const v1::DescribePlanResponse& plan, std::ostream& out) {
  Table table(
      {{"op"}, {"steps", true}, {"FLOPs", true}, {"time", true}, {"share", true}, {"rate", true}});
  const double whole = Totals(plan).measured_microseconds;
  for (const OpSum& sum : SumsByOp(plan)) {
    table.Add({sum.op, std::to_string(sum.steps), CountText(sum.flops), TimeText(sum.microseconds),
               ShareText(sum.microseconds, whole), RateText(sum.flops, sum.microseconds)});
  }
  out << '\n';
  table.Print(out);
}

void PrintSummary(const v1::DescribePlanResponse& plan, std::ostream& out) {
  const PlanTotals totals = Totals(plan);
  out << '\n';
  PrintLine("inputs", TensorsText(plan.inputs()), out);
  PrintLine("outputs", TensorsText(plan.outputs()), out);
  PrintLine("steps", std::to_string(plan.steps_size()), out);
  if (const std::string groups = GroupsText(plan); !groups.empty()) {
    PrintLine("batch", groups + "; the steps are of one group", out);
  }
  PrintLine("work",
            fmt::format("{}, {} read, {} written", WorkText(totals.flops),
                        Bytes(static_cast<uint64_t>(totals.bytes_read)),
                        Bytes(static_cast<uint64_t>(totals.bytes_written))),
            out);
  if (plan.has_kernels()) {
    PrintLine("memory",
              fmt::format("{} arena, {} scratch, {} packed weights of all plans, {} the plan",
                          Bytes(plan.arena_bytes()), Bytes(plan.scratch_bytes()),
                          Bytes(plan.packed_weight_bytes()), Bytes(plan.plan_bytes())),
              out);
  }
  std::string time = "about " + TimeText(totals.estimated_microseconds) + " by estimate";
  if (plan.profile_runs() > 0) {
    time += fmt::format("; measured {}, the median of {} runs, {}",
                        TimeText(plan.measured_microseconds()), plan.profile_runs(),
                        RateText(totals.flops, plan.measured_microseconds()));
  }
  PrintLine("time", time, out);
  for (const v1::Plan& cached : plan.cached_plans()) {
    const std::string threads =
        cached.threads() > 1 ? fmt::format(", {} threads", cached.threads()) : "";
    PrintLine("cached for", TensorsText(cached.inputs()) + threads, out);
  }
}

}  // namespace

void Print(const v1::DescribePlanResponse& plan, std::ostream& out) {
  const char* what = !plan.has_kernels() ? "not bound: its ops, without kernels"
                     : plan.cached()     ? "a cached plan"
                                         : "a plan that is not cached";
  out << Printable(fmt::format("{} version {}: {}", plan.name(), plan.version(), what)) << '\n';
  PrintSteps(plan, out);
  if (plan.profile_runs() > 0) PrintByOp(plan, out);
  PrintSummary(plan, out);
}

}  // namespace lazynet::cli::text
