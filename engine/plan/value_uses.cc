#include "engine/plan/value_uses.h"

#include <algorithm>
#include <numeric>

namespace lazynet::plan {

ValueUses::ValueUses(const backend::Graph& graph)
    : root_(graph.values.size()), last_(graph.values.size(), -1) {
  std::iota(root_.begin(), root_.end(), 0);
  for (const backend::Op& op : graph.ops) {
    if (!std::holds_alternative<backend::Reshape>(op.kind)) continue;
    root_[static_cast<size_t>(op.output)] = root(op.inputs[0]);
  }
  const auto use = [&](backend::ValueId id, size_t when) {
    int& last = last_[static_cast<size_t>(root(id))];
    last = std::max(last, static_cast<int>(when));
  };
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    for (const backend::ValueId id : OperandsOf(graph.ops[i])) {
      if (id != backend::kNoValue) use(id, i);
    }
    // What lies between fused ops is there for as long as they run, if they run one by one.
    use(graph.ops[i].output, i);
    for (const backend::Op& next : graph.ops[i].fused) use(next.output, i);
  }
  for (const backend::ValueId id : graph.outputs) use(id, graph.ops.size());
}

}  // namespace lazynet::plan
