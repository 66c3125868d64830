#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/graph.h"

namespace lazynet::plan {

// Fuses ops to those that make their input, where nobody else reads that and `backend` takes them
// as one. A fused op runs where its last part ran, when all that it reads is there.
void FuseOps(backend::Graph& graph, const backend::Backend& backend);

}  // namespace lazynet::plan
