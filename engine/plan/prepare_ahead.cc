#include "engine/plan/prepare_ahead.h"

#include <utility>

#include "engine/backend/threads.h"

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::Op;

// Whether there are weights to pack; of large constants only products have such.
bool HasWeights(const Graph& graph, const Op& op) {
  return IsProduct(op.kind) && op.inputs.size() > 1 && graph.value(op.inputs[1]).is_constant() &&
         graph.value(op.result()).shape.num_elements() > 0;
}

}  // namespace

std::vector<backend::PreparedOp> PrepareAhead(const Graph& graph, const backend::Backend& backend,
                                              backend::PackedWeights& packed, int threads) {
  if (threads <= 1 || packed.bytes() > 0) return {};
  std::vector<const Op*> ops;
  for (const Op& op : graph.ops) {
    if (HasWeights(graph, op)) ops.push_back(&op);
  }
  if (ops.size() <= 1) return {};
  std::vector<backend::PreparedOp> prepared(ops.size());
  const auto prepare = [&](int64_t index, size_t) {
    const auto i = static_cast<size_t>(index);
    backend::SetKernelThreads(1);
    // Where its inputs will lie is not known yet; few products care.
    const std::vector<backend::LayoutPtr> layouts(OperandsOf(*ops[i]).size());
    auto made = backend.Prepare(graph, *ops[i], layouts, packed);
    if (made.ok()) prepared[i] = *std::move(made);
    return absl::OkStatus();
  };
  backend::ForEachInParallel(threads, static_cast<int64_t>(ops.size()), prepare).IgnoreError();
  return prepared;
}

}  // namespace lazynet::plan
