#include "engine/plan/grouping.h"

#include <algorithm>

#include "engine/plan/arena.h"
#include "engine/plan/value_uses.h"

namespace lazynet::plan {
namespace {

// A guess at one core's share of the last cache, that virtual machines do not tell: ResNet-50 (5 MB
// an image) gains from running images one by one, BERT of 16 tokens from running many together.
constexpr size_t kGroupBytes = size_t{8} << 20;

// Bytes of the intermediate values that are needed at once, before layouts are known.
size_t IntermediateBytes(const backend::Graph& graph) {
  const ValueUses uses(graph);
  std::vector<Lifetime> lifetimes;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const backend::ValueId output = graph.ops[i].output;
    if (uses.root(output) != output) continue;
    const backend::Value& value = graph.value(output);
    lifetimes.push_back({.bytes = ByteSize(value.dtype, value.shape),
                         .first = static_cast<int>(i),
                         .last = std::max(static_cast<int>(i), uses.last(output))});
  }
  return PlaceInArena(lifetimes).bytes;
}

}  // namespace

int64_t GroupSize(const backend::Graph& one, int64_t items, int threads) {
  const auto fitting =
      static_cast<int64_t>(kGroupBytes / std::max<size_t>(1, IntermediateBytes(one)));
  const int64_t share = items >= threads ? items / threads : items;
  int64_t size = std::clamp<int64_t>(fitting, 1, share);
  while (items % size != 0) --size;
  return size;
}

}  // namespace lazynet::plan
