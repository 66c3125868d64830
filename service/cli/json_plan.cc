#include <ostream>

#include "service/cli/json_format.h"
#include "service/cli/json_report.h"
#include "service/cli/plan_format.h"

namespace lazynet::cli::json {
namespace {

Json Value(const v1::PlanValue& value) {
  Json described = {{"datatype", value.datatype()},
                    {"shape", Array(value.shape())},
                    {"layout", value.layout().empty() ? Json() : Json(value.layout())},
                    {"bytes", value.bytes()}};
  if (value.has_step()) described["step"] = value.step();
  if (value.has_input()) described["input"] = value.input();
  if (value.has_constant()) described["constant"] = value.constant();
  return described;
}

Json Values(const google::protobuf::RepeatedPtrField<v1::PlanValue>& values) {
  Json array = Json::array();
  for (const v1::PlanValue& value : values) array.push_back(Value(value));
  return array;
}

Json Steps(const v1::DescribePlanResponse& plan) {
  Json array = Json::array();
  const double whole = Totals(plan).measured_microseconds;
  const bool measured = plan.profile_runs() > 0;
  for (const v1::PlanStep& step : plan.steps()) {
    const double time = step.measured_microseconds();
    array.push_back({{"layer", step.layer()},
                     {"op", step.op()},
                     {"fused", Array(step.fused())},
                     {"implementation", plan.has_kernels() ? Json(step.implementation()) : Json()},
                     {"threads", plan.has_kernels() ? Json(step.threads()) : Json()},
                     {"inputs", Values(step.inputs())},
                     {"output", step.has_output() ? Value(step.output()) : Json()},
                     {"calls", step.calls()},
                     {"bytes_read", step.bytes_read()},
                     {"bytes_written", step.bytes_written()},
                     {"weight_bytes", step.weight_bytes()},
                     {"flops", step.flops()},
                     {"estimated_microseconds", step.estimated_microseconds()},
                     {"measured_microseconds", measured ? Json(time) : Json()},
                     {"share", measured && whole > 0 ? Json(Share(step, time, whole)) : Json()},
                     {"gflops_per_second", time > 0 ? Json(step.flops() / time / 1e3) : Json()}});
  }
  return array;
}

Json Groups(const v1::DescribePlanResponse& plan) {
  Json array = Json::array();
  for (const v1::PlanGroups& groups : plan.groups()) {
    array.push_back({{"count", groups.count()},
                     {"items", groups.items()},
                     {"missing_items", groups.missing_items()}});
  }
  return array;
}

Json Cached(const v1::DescribePlanResponse& plan) {
  Json array = Json::array();
  for (const v1::Plan& cached : plan.cached_plans()) {
    array.push_back({{"inputs", Tensors(cached.inputs())},
                     {"arena_bytes", cached.arena_bytes()},
                     {"scratch_bytes", cached.scratch_bytes()},
                     {"op_count", cached.op_count()},
                     {"threads", cached.threads()}});
  }
  return array;
}

}  // namespace

void Print(const v1::DescribePlanResponse& plan, std::ostream& out) {
  const PlanTotals totals = Totals(plan);
  const auto known = [&](uint64_t bytes) { return plan.has_kernels() ? Json(bytes) : Json(); };
  const bool measured = plan.profile_runs() > 0;
  Write({{"name", plan.name()},
         {"version", plan.version()},
         {"inputs", Tensors(plan.inputs())},
         {"outputs", Tensors(plan.outputs())},
         {"has_kernels", plan.has_kernels()},
         {"cached", plan.cached()},
         {"groups", Groups(plan)},
         {"parallel_groups", plan.parallel_groups()},
         {"arena_bytes", known(plan.arena_bytes())},
         {"scratch_bytes", known(plan.scratch_bytes())},
         {"packed_weight_bytes", known(plan.packed_weight_bytes())},
         {"plan_bytes", known(plan.plan_bytes())},
         {"steps", Steps(plan)},
         {"output_values", Values(plan.output_values())},
         {"flops", totals.flops},
         {"bytes_read", static_cast<uint64_t>(totals.bytes_read)},
         {"bytes_written", static_cast<uint64_t>(totals.bytes_written)},
         {"estimated_microseconds", totals.estimated_microseconds},
         {"profile_runs", plan.profile_runs()},
         {"measured_microseconds", measured ? Json(plan.measured_microseconds()) : Json()},
         {"cached_plans", Cached(plan)}},
        out);
}

}  // namespace lazynet::cli::json
