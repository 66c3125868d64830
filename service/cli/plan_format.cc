#include "service/cli/plan_format.h"

#include <fmt/format.h>

#include <algorithm>

namespace lazynet::cli {

absl::Status CheckPlan(const v1::DescribePlanResponse& plan) {
  const auto check = [&](const v1::PlanValue& value, int steps) -> absl::Status {
    if (value.has_step() && value.step() >= static_cast<uint32_t>(steps)) {
      return InvalidArgument("wants one of {} steps as a source, got step {}", steps, value.step());
    }
    if (value.has_input() && value.input() >= static_cast<uint32_t>(plan.inputs_size())) {
      return InvalidArgument("wants one of {} inputs as a source, got input {}", plan.inputs_size(),
                             value.input());
    }
    return absl::OkStatus();
  };
  for (int i = 0; i < plan.steps_size(); ++i) {
    for (const v1::PlanValue& input : plan.steps(i).inputs()) RETURN_IF_ERROR(check(input, i));
  }
  if (plan.output_values_size() != plan.outputs_size()) {
    return InvalidArgument("wants a value for each of {} outputs, got {}", plan.outputs_size(),
                           plan.output_values_size());
  }
  for (const v1::PlanValue& value : plan.output_values()) {
    RETURN_IF_ERROR(check(value, plan.steps_size()));
  }
  return absl::OkStatus();
}

PlanTotals Totals(const v1::DescribePlanResponse& plan) {
  PlanTotals totals;
  for (const v1::PlanStep& step : plan.steps()) {
    const auto calls = static_cast<double>(step.calls());
    totals.flops += calls * step.flops();
    totals.bytes_read += calls * static_cast<double>(step.bytes_read());
    totals.bytes_written += calls * static_cast<double>(step.bytes_written());
    totals.estimated_microseconds += calls * step.estimated_microseconds();
    totals.measured_microseconds += calls * step.measured_microseconds();
  }
  return totals;
}

std::vector<OpSum> SumsByOp(const v1::DescribePlanResponse& plan) {
  std::vector<OpSum> sums;
  for (const v1::PlanStep& step : plan.steps()) {
    auto sum = std::find_if(sums.begin(), sums.end(),
                            [&](const OpSum& other) { return other.op == step.op(); });
    if (sum == sums.end()) sum = sums.insert(sums.end(), {.op = step.op()});
    const auto calls = static_cast<double>(step.calls());
    ++sum->steps;
    sum->flops += calls * step.flops();
    sum->microseconds += calls * step.measured_microseconds();
  }
  std::stable_sort(sums.begin(), sums.end(),
                   [](const OpSum& a, const OpSum& b) { return a.microseconds > b.microseconds; });
  return sums;
}

std::string OpText(const v1::PlanStep& step) {
  std::string text = step.op();
  for (const std::string& op : step.fused()) text += "+" + op;
  return text;
}

std::string SizesText(const v1::PlanValue& value) {
  if (value.shape().empty()) return "scalar";
  return fmt::format("{}", fmt::join(value.shape().begin(), value.shape().end(), "x"));
}

std::string ValueText(const v1::PlanValue& value) {
  std::string text = value.datatype() + " " + SizesText(value);
  if (!value.layout().empty()) text += " " + value.layout();
  return text;
}

std::string TimeText(double microseconds) {
  if (microseconds < 1e3) return fmt::format("{:.1f} us", microseconds);
  if (microseconds < 1e6) return fmt::format("{:.2f} ms", microseconds / 1e3);
  return fmt::format("{:.2f} s", microseconds / 1e6);
}

std::string CountText(double count) {
  constexpr const char* kUnits[] = {"k", "M", "G", "T", "P"};
  if (count < 1e3) return fmt::format("{:.0f}", count);
  size_t unit = 0;
  for (count /= 1e3; count >= 1e3 && unit + 1 < std::size(kUnits); count /= 1e3) ++unit;
  return fmt::format("{:.1f} {}", count, kUnits[unit]);
}

std::string WorkText(double flops) { return CountText(flops) + (flops < 1e3 ? " FLOP" : "FLOP"); }

std::string RateText(double flops, double microseconds) {
  if (flops <= 0 || microseconds <= 0) return "";
  const double rate = flops / microseconds / 1e3;
  return fmt::format("{:.{}f} GFLOP/s", rate, rate < 10 ? 1 : 0);
}

double Share(const v1::PlanStep& step, double microseconds, double whole) {
  return whole > 0 ? static_cast<double>(step.calls()) * microseconds / whole : 0;
}

std::string ShareText(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "";
}

std::string GroupsText(const v1::DescribePlanResponse& plan) {
  if (plan.groups().empty()) return "";
  const auto count = [](int64_t n, const char* what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  std::string text;
  for (const v1::PlanGroups& groups : plan.groups()) {
    text += count(groups.count(), "group") + " of " + count(groups.items(), "item") + ", ";
    if (groups.missing_items() > 0) text += fmt::format("{} missing, ", groups.missing_items());
  }
  return text + fmt::format("{} at a time", plan.parallel_groups());
}

}  // namespace lazynet::cli
