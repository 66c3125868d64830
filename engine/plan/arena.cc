#include "engine/plan/arena.h"

#include <algorithm>
#include <numeric>

#include "engine/core/buffer.h"

namespace lazynet::plan {
ArenaLayout PlaceInArena(std::span<const Lifetime> lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  ArenaLayout layout{.offsets = std::vector<size_t>(lifetimes.size(), 0)};
  std::vector<size_t> placed;  // by offset
  for (const size_t index : order) {
    const Lifetime& piece = lifetimes[index];
    size_t offset = 0;
    for (const size_t other : placed) {
      const bool together =
          lifetimes[other].first <= piece.last && piece.first <= lifetimes[other].last;
      if (!together) continue;
      if (offset + Buffer::Align(piece.bytes) <= layout.offsets[other]) break;
      offset = std::max(offset, layout.offsets[other] + Buffer::Align(lifetimes[other].bytes));
    }
    layout.offsets[index] = offset;
    layout.bytes = std::max(layout.bytes, offset + Buffer::Align(piece.bytes));
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), index,
                         [&](size_t a, size_t b) { return layout.offsets[a] < layout.offsets[b]; }),
        index);
  }
  return layout;
}

}  // namespace lazynet::plan
