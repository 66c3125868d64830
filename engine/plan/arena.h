#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lazynet::plan {

// A piece of memory that is needed from step `first` to step `last`, both included.
struct Lifetime {
  size_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct ArenaLayout {
  std::vector<size_t> offsets;  // per lifetime, aligned to Buffer::kAlignment
  size_t bytes = 0;
};

// Places the pieces in one arena so that those that live at the same time do not overlap: largest
// first, each at the lowest offset where it fits.
ArenaLayout PlaceInArena(std::span<const Lifetime> lifetimes);

}  // namespace lazynet::plan
