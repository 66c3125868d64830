#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/backend/graph.h"

namespace lazynet::plan {

// Along which axis the items of a batch lie in each value, kNoItems for values that hold none; or
// nothing when it cannot be shown that every item is computed by itself, as if it were alone.
//
// `whole` is a network lowered for `items` >= 2 items, `one` the same for one: along axis 0 of each
// input. An item may be several slices of an axis, such as the heads of an attention that is
// computed with batch and heads as one axis, but its slices are neighbours. Outputs have their
// items along axis 0 too.
inline constexpr int kNoItems = -1;
std::optional<std::vector<int>> FindBatchAxes(const backend::Graph& whole,
                                              const backend::Graph& one, int64_t items);

}  // namespace lazynet::plan
