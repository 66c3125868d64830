#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/graph.h"

namespace lazynet::plan {

// Lets convolutions be computed by Winograd's algorithm where `backend` is faster so: 3x3 windows
// by 2.25 or 4 times fewer products, whose sums differ from direct ones by up to 3e-6 of the largest
// magnitude around. To be run before BoundValues, which takes it back where there may be NaN.
void ChooseWinograd(backend::Graph& graph, const backend::Backend& backend);

}  // namespace lazynet::plan
