#include "engine/plan/passes/lower_precision.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::ValueId;

size_t At(ValueId id) { return static_cast<size_t>(id); }

class Lowering {
 public:
  Lowering(Graph& graph, const backend::Backend& backend, DType dtype)
      : graph_(graph),
        dtype_(dtype),
        lowers_(graph.ops.size(), false),
        readers_(graph.values.size()),
        is_output_(graph.values.size(), false),
        low_(graph.values.size(), false),
        casts_(graph.values.size(), kNoValue) {
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      for (const ValueId id : graph.ops[i].inputs) {
        if (id != kNoValue) readers_[At(id)].push_back(i);
      }
    }
    for (const ValueId id : graph.outputs) is_output_[At(id)] = true;
    for (size_t i = 0; i < graph.ops.size(); ++i) lowers_[i] = Follows(backend, graph.ops[i]);
  }

  bool Run() {
    if (std::none_of(lowers_.begin(), lowers_.end(), [](bool lowers) { return lowers; })) {
      return false;
    }
    for (size_t i = graph_.ops.size(); i-- > 0;) {
      if (lowers_[i] && StaysBeforeOutput(graph_.ops[i])) Set(i, false);
      if (!lowers_[i] && IsViewForLowered(graph_.ops[i])) Set(i, true);
    }
    MarkValues();
    Rewrite();
    return true;
  }

 private:
  // Whether an op that may be lowered reads a value for which that is done, or is a product.
  bool Follows(const backend::Backend& backend, const Op& op) {
    const bool view = std::holds_alternative<backend::Reshape>(op.kind);
    if (graph_.value(op.output).dtype != DType::kFp32) return false;
    const bool reads_low = std::any_of(op.inputs.begin(), op.inputs.end(),
                                       [&](ValueId id) { return id != kNoValue && low_[At(id)]; });
    if (!reads_low && !backend::IsProduct(op.kind)) return false;
    if (!view && !backend.ComputesIn(dtype_, graph_, op)) return false;
    low_[At(op.output)] = true;
    return true;
  }

  // Whether everybody who reads the value wants FP32.
  bool ReadAsFp32(ValueId id) const {
    const std::vector<size_t>& readers = readers_[At(id)];
    return std::none_of(readers.begin(), readers.end(), [&](size_t i) { return lowers_[i]; });
  }

  // Whether an op may as well be computed in FP32: so is all behind it, and nobody else reads what
  // it reads, so that the border only moves towards the product.
  bool StaysBeforeOutput(const Op& op) const {
    if (backend::IsProduct(op.kind) || !ReadAsFp32(op.output)) return false;
    return std::all_of(op.inputs.begin(), op.inputs.end(), [&](ValueId id) {
      return id == kNoValue || !low_[At(id)] ||
             (readers_[At(id)].size() == 1 && !is_output_[At(id)]);
    });
  }

  // Whether an FP32 value is looked at as something else in order to be lowered: then it may be
  // before, once for all such views.
  bool IsViewForLowered(const Op& op) const {
    const std::vector<size_t>& readers = readers_[At(op.output)];
    return std::holds_alternative<backend::Reshape>(op.kind) && !readers.empty() &&
           graph_.value(op.output).dtype == DType::kFp32 && !is_output_[At(op.output)] &&
           !graph_.value(op.inputs[0]).is_constant() &&
           std::all_of(readers.begin(), readers.end(), [&](size_t i) { return lowers_[i]; });
  }

  void Set(size_t op, bool lowers) {
    lowers_[op] = lowers;
    low_[At(graph_.ops[op].output)] = lowers;
  }

  void MarkValues() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const Op& op = graph_.ops[i];
      if (lowers_[i] && backend::IsProduct(op.kind) && ReadAsFp32(op.output)) {
        low_[At(op.output)] = false;
      }
    }
  }

  // The value in the dtype that an op wants, cast for the first one who asks.
  ValueId Cast(ValueId id, DType wanted, const std::string& layer, std::vector<Op>& ops) {
    if (casts_[At(id)] != kNoValue) return casts_[At(id)];
    const ValueId cast = static_cast<ValueId>(graph_.values.size());
    graph_.values.push_back({.dtype = wanted, .shape = graph_.value(id).shape});
    ops.push_back(
        {.kind = backend::Cast{}, .inputs = {id}, .output = cast, .layer = layer, .fused = {}});
    casts_[At(id)] = cast;
    return cast;
  }

  bool Lowerable(ValueId id) const {
    return id != kNoValue && !graph_.value(id).is_constant() &&
           (graph_.value(id).dtype == DType::kFp32 || graph_.value(id).dtype == dtype_);
  }

  void Rewrite() {
    for (size_t id = 0; id < low_.size(); ++id) {
      if (low_[id]) graph_.values[id].dtype = dtype_;
    }
    std::vector<Op> ops;
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      Op& op = graph_.ops[i];
      for (ValueId& id : op.inputs) {
        if (Lowerable(id) && lowers_[i] != low_[At(id)]) {
          id = Cast(id, lowers_[i] ? dtype_ : DType::kFp32, op.layer, ops);
        }
      }
      ops.push_back(std::move(op));
    }
    for (ValueId& id : graph_.outputs) {
      if (Lowerable(id) && low_[At(id)]) id = Cast(id, DType::kFp32, "", ops);
    }
    graph_.ops = std::move(ops);
  }

  Graph& graph_;
  const DType dtype_;
  std::vector<bool> lowers_;                  // per op: whether it is computed in dtype
  std::vector<std::vector<size_t>> readers_;  // per value
  std::vector<bool> is_output_;               // per value
  std::vector<bool> low_;                     // per value: whether it is kept in dtype
  std::vector<ValueId> casts_;                // per value: the same in the other dtype, or none
};

}  // namespace

bool LowerPrecision(Graph& graph, const backend::Backend& backend, DType dtype) {
  return Lowering(graph, backend, dtype).Run();
}

}  // namespace lazynet::plan
