#pragma once

#include "engine/backend/graph.h"

namespace lazynet::plan {

// Removes ops that no output of the graph depends on.
void RemoveDeadOps(backend::Graph& graph);

}  // namespace lazynet::plan
