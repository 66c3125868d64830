#include "engine/plan/description.h"

#include <utility>

#include "engine/backend/backend.h"
#include "engine/backend/constant_keys.h"
#include "engine/backend/detailed_name.h"
#include "engine/plan/cost.h"
#include "engine/plan/flops.h"

namespace lazynet::plan {

using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::Value;
using backend::ValueId;
using Source = ValueInfo::Source;

size_t BytesRead(const StepInfo& step) {
  size_t bytes = 0;
  for (const ValueInfo& input : step.inputs) bytes += input.bytes;
  return bytes;
}

size_t BytesOfWeights(const StepInfo& step) {
  size_t bytes = 0;
  for (const ValueInfo& input : step.inputs) {
    if (input.source == Source::kConstant) bytes += input.bytes;
  }
  return bytes;
}

size_t BytesWritten(const StepInfo& step) { return step.output ? step.output->bytes : 0; }

StepInfo DescribeOp(const Graph& graph, const Op& op) {
  StepInfo step;
  step.layer = op.layer;
  step.op = backend::DetailedName(op.kind);
  step.flops = Flops(graph, op);
  for (const Op& next : op.fused) {
    step.fused.emplace_back(backend::DetailedName(next.kind));
    step.flops += Flops(graph, next);
  }
  step.estimated_microseconds = EstimatedMicroseconds(graph, op);
  return step;
}

ValueInfo DescribeValue(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  ValueInfo info;
  info.dtype = value.dtype;
  info.shape = value.shape;
  info.layout = backend::LayoutName(nullptr);
  info.bytes = ByteSize(value.dtype, value.shape);
  if (!value.is_constant()) return info;
  info.source = Source::kConstant;
  info.layout.clear();
  const std::string& key = graph.constant(id).key;
  if (!key.starts_with(backend::kComputedKey)) info.constant = key;
  return info;
}

PlanDescription DescribeGraph(const Graph& graph) {
  struct Origin {
    Source source = Source::kNone;
    int index = 0;
  };
  std::vector<Origin> origins(graph.values.size());
  const auto describe = [&](ValueId id) {
    ValueInfo info = DescribeValue(graph, id);
    if (graph.value(id).is_constant()) return info;
    const Origin& origin = origins[static_cast<size_t>(id)];
    info.source = origin.source;
    info.index = origin.index;
    return info;
  };
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].is_constant()) origins[i].source = Source::kConstant;
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    origins[static_cast<size_t>(graph.inputs[i])] = {Source::kInput, static_cast<int>(i)};
  }
  PlanDescription description;
  for (const Op& op : graph.ops) {
    Origin& origin = origins[static_cast<size_t>(op.result())];
    if (graph.value(op.result()).shape.num_elements() == 0) continue;
    if (std::holds_alternative<backend::Reshape>(op.kind)) {
      origin = origins[static_cast<size_t>(op.inputs[0])];
      continue;
    }
    StepInfo step = DescribeOp(graph, op);
    for (const ValueId id : OperandsOf(op)) {
      if (id != kNoValue) step.inputs.push_back(describe(id));
    }
    origin = {Source::kStep, static_cast<int>(description.steps.size())};
    step.output = describe(op.result());
    description.steps.push_back(std::move(step));
  }
  for (const ValueId id : graph.outputs) description.outputs.push_back(describe(id));
  return description;
}

}  // namespace lazynet::plan
