#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/graph.h"

namespace lazynet::plan {

// Computes, with the kernels of `backend`, what depends on constants alone, and makes constants of
// it: a transposed weight, a slice of a table of positions. Values that would have more elements
// than what they are made from stay ops. No output of the graph is a constant afterwards. The
// errors are those of the kernels.
absl::Status FoldConstants(backend::Graph& graph, const backend::Backend& backend);

}  // namespace lazynet::plan
