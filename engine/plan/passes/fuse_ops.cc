#include "engine/plan/passes/fuse_ops.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::ValueId;

constexpr size_t kNone = static_cast<size_t>(-1);

// Which op makes each value, and how many read it; an output is one reader more.
struct Links {
  explicit Links(const Graph& graph)
      : producers(graph.values.size(), kNone), readers(graph.values.size(), 0) {
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      producers[static_cast<size_t>(graph.ops[i].output)] = i;
      for (const ValueId id : graph.ops[i].inputs) {
        if (id != kNoValue) ++readers[static_cast<size_t>(id)];
      }
    }
    for (const ValueId id : graph.outputs) ++readers[static_cast<size_t>(id)];
  }

  std::vector<size_t> producers;
  std::vector<int> readers;
};

// The op to fuse `next` to. Of two, the one that runs later: the other one's result is there then.
size_t FindFirst(const Graph& graph, const Links& links, const Op& next,
                 const backend::Backend& backend) {
  std::vector<size_t> candidates;
  for (const ValueId id : next.inputs) {
    if (id == kNoValue || links.readers[static_cast<size_t>(id)] != 1) continue;
    const size_t producer = links.producers[static_cast<size_t>(id)];
    if (producer != kNone) candidates.push_back(producer);
  }
  std::sort(candidates.begin(), candidates.end(), std::greater<>());
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](size_t candidate) {
    return backend.Fuses(graph, graph.ops[candidate], next);
  });
  return found == candidates.end() ? kNone : *found;
}

}  // namespace

void FuseOps(Graph& graph, const backend::Backend& backend) {
  Links links(graph);
  std::vector<bool> gone(graph.ops.size(), false);
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const size_t first = FindFirst(graph, links, graph.ops[i], backend);
    if (first == kNone) continue;
    Op fused = std::move(graph.ops[first]);
    gone[first] = true;
    links.producers[static_cast<size_t>(graph.ops[i].output)] = i;
    fused.fused.push_back(std::move(graph.ops[i]));
    graph.ops[i] = std::move(fused);
  }
  std::vector<Op> kept;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (!gone[i]) kept.push_back(std::move(graph.ops[i]));
  }
  graph.ops = std::move(kept);
}

}  // namespace lazynet::plan
