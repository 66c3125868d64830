#pragma once

#include <cstdint>

#include "engine/backend/graph.h"

namespace lazynet::plan {

// How many items of a batch to run at a time, a divisor of `items`: as many as have their
// intermediate values in the cache together. A batch of images that is run layer by layer writes
// each layer to memory and reads it back; weights, on the other hand, are read once for each group.
// With more threads, each takes groups of its own, if there are enough items.
//
// `one` is the network lowered for one item.
int64_t GroupSize(const backend::Graph& one, int64_t items, int threads);

}  // namespace lazynet::plan
