#include "engine/plan/passes/remove_dead_ops.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lazynet::plan {

void RemoveDeadOps(backend::Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  for (const backend::ValueId id : graph.outputs) live[static_cast<size_t>(id)] = true;
  std::vector<backend::Op> kept;
  for (auto op = graph.ops.rbegin(); op != graph.ops.rend(); ++op) {
    if (!live[static_cast<size_t>(op->output)]) continue;
    for (const backend::ValueId id : op->inputs) {
      if (id != backend::kNoValue) live[static_cast<size_t>(id)] = true;
    }
    kept.push_back(std::move(*op));
  }
  std::reverse(kept.begin(), kept.end());
  graph.ops = std::move(kept);
}

}  // namespace lazynet::plan
