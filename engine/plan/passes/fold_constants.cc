#include "engine/plan/passes/fold_constants.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "engine/backend/constant_keys.h"
#include "engine/plan/program_builder.h"
#include "engine/plan/workspace.h"

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::Value;
using backend::ValueId;

// Of what an op needs besides its operands.
constexpr size_t kMaxBytes = size_t{8} << 30;

bool Folds(const Graph& graph, const Op& op) {
  int64_t largest = -1;
  for (const ValueId id : op.inputs) {
    if (id == kNoValue) continue;
    if (!graph.value(id).is_constant()) return false;
    largest = std::max(largest, graph.value(id).shape.num_elements());
  }
  const int64_t elements = graph.value(op.output).shape.num_elements();
  return elements > 0 && elements <= largest;
}

// A graph of this op alone. Its first input, which kernels may want to be no constant, is the
// graph's.
Graph Alone(const Graph& graph, const Op& op) {
  Graph alone;
  std::vector<ValueId> inputs;
  for (const ValueId id : op.inputs) {
    if (id == kNoValue) {
      inputs.push_back(kNoValue);
      continue;
    }
    const Value& value = graph.value(id);
    if (alone.inputs.empty()) {
      inputs.push_back(alone.AddInput(value.dtype, value.shape));
    } else {
      inputs.push_back(alone.AddConstant(value.dtype, value.shape, graph.constant(id)));
    }
  }
  const Value& output = graph.value(op.output);
  alone.outputs = {alone.AddOp(op.kind, std::move(inputs), output.shape, op.layer, output.dtype)};
  return alone;
}

absl::StatusOr<Tensor> Compute(const Graph& graph, const Op& op, const backend::Backend& backend) {
  const auto first =
      std::find_if(op.inputs.begin(), op.inputs.end(), [](ValueId id) { return id != kNoValue; });
  ASSIGN_OR_RETURN(const Tensor input, graph.constant(*first).make());
  const Graph alone = Alone(graph, op);
  backend::PackedWeights packed;
  ASSIGN_OR_RETURN(const auto program, ProgramBuilder(alone, backend, packed).Build(kMaxBytes));
  const Value& result = alone.value(alone.outputs.front());
  ASSIGN_OR_RETURN(Tensor output, Tensor::Allocate(result.dtype, result.shape));
  const std::byte* const source = input.data();
  std::byte* const destination = output.mutable_view().data;
  Workspace workspace;
  RETURN_IF_ERROR(workspace.Reserve(program->arena_bytes(), program->scratch_bytes()));
  RETURN_IF_ERROR(program->Run({.inputs = {&source, 1},
                                .outputs = {&destination, 1},
                                .arena = workspace.arena(),
                                .scratch = workspace.scratch()}));
  return output;
}

// Two graphs may compute different values at the same place, so the elements themselves are the
// key.
std::string KeyOf(const Tensor& tensor) {
  const std::string_view bytes(reinterpret_cast<const char*>(tensor.data()), tensor.bytes());
  return fmt::format("{}{}{}{:016x}{:016x}", backend::kComputedKey, Name(tensor.dtype()),
                     tensor.shape().ToString(), std::hash<std::string_view>{}(bytes),
                     absl::HashOf(absl::string_view(bytes.data(), bytes.size())));
}

}  // namespace

absl::Status FoldConstants(Graph& graph, const backend::Backend& backend) {
  std::vector<Op> kept;
  for (Op& op : graph.ops) {
    if (!Folds(graph, op)) {
      kept.push_back(std::move(op));
      continue;
    }
    ASSIGN_OR_RETURN(Tensor tensor, Compute(graph, op, backend));
    graph.values[static_cast<size_t>(op.output)].constant =
        static_cast<int>(graph.constants.size());
    std::string key = KeyOf(tensor);
    graph.constants.push_back({std::move(key), [tensor = std::move(tensor)] { return tensor; }});
  }
  graph.ops = std::move(kept);
  for (ValueId& output : graph.outputs) {
    const Value value = graph.value(output);
    if (!value.is_constant()) continue;
    backend::Permute copy;
    copy.order.resize(static_cast<size_t>(value.shape.rank()));
    std::iota(copy.order.begin(), copy.order.end(), 0);
    output = graph.AddOp(copy, {output}, value.shape, "output");
  }
  return absl::OkStatus();
}

}  // namespace lazynet::plan
