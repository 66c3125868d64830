#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/graph.h"

namespace lazynet::plan {

// How many of up to `items` items of a batch to run at a time: as many as have their intermediate
// values in the cache together. A batch of images that is run layer by layer writes each layer to
// memory and reads it back; weights, on the other hand, are read once for each group. With more
// threads, each takes groups of its own, if there are enough items.
//
// `one` is the network lowered for one item.
int64_t GroupSize(const backend::Graph& one, int64_t items, int threads);

// Groups of equal size, one behind the other. A group beyond the last item is run with copies of
// that in place of those that are missing.
struct Groups {
  int64_t size = 1;     // items
  int64_t count = 1;    // groups
  int64_t missing = 0;  // items, in a single group

  bool operator==(const Groups&) const = default;
};

// A batch in groups of `size` items or a little fewer. Sizes are 1 to 15, or 8 to 15 times a power
// of two, so that few programs serve batches of all sizes. What is left is run in smaller groups,
// or in one with items missing, when a run for so many more takes less time than another run:
// one of n items takes as long as n + `overhead` items do, as it reads the weights.
std::vector<Groups> SplitBatch(int64_t items, int64_t size, double overhead);

}  // namespace lazynet::plan
