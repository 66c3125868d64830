#include "engine/plan/grouping.h"

#include <algorithm>
#include <bit>

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

// What is left of a number but its four highest bits.
int64_t BitsBelow(int64_t n) {
  const auto bits = std::bit_width(static_cast<uint64_t>(n));
  return bits <= 4 ? 0 : (int64_t{1} << (bits - 4)) - 1;
}

int64_t SizeBelow(int64_t n) { return n & ~BitsBelow(n); }
int64_t SizeAbove(int64_t n) { return (n + BitsBelow(n)) & ~BitsBelow(n); }

// A group size of which a batch is a multiple, if there is one that is not much smaller: it needs
// one program, not two.
int64_t PreferDivisor(int64_t items, int64_t size) {
  for (int64_t smaller = SizeBelow(size); 3 * smaller >= 2 * size;
       smaller = SizeBelow(smaller - 1)) {
    if (items % smaller == 0) return smaller;
  }
  return size;
}

}  // namespace

int64_t GroupSize(const backend::Graph& one, int64_t items, int threads) {
  const auto fitting =
      static_cast<int64_t>(kGroupBytes / std::max<size_t>(1, IntermediateBytes(one)));
  const int64_t share = items >= threads ? items / threads : items;
  return std::clamp<int64_t>(fitting, 1, share);
}

std::vector<Groups> SplitBatch(int64_t items, int64_t size, double overhead) {
  std::vector<Groups> batch;
  size = PreferDivisor(items, std::min(items, size));
  while (items > 0) {
    const int64_t above = SizeAbove(items);
    const bool pads = items <= size && static_cast<double>(above - items) <= overhead;
    const int64_t next = pads ? above : SizeBelow(std::min(items, size));
    batch.push_back({.size = next,
                     .count = std::max<int64_t>(1, items / next),
                     .missing = std::max<int64_t>(0, next - items)});
    items -= batch.back().size * batch.back().count;
  }
  return batch;
}

}  // namespace lazynet::plan
