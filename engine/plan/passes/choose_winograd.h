#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/graph.h"

namespace lazynet::plan {

// Lets convolutions be computed by Winograd's algorithm where `backend` is faster so: 3x3 windows
// by 1.8 or 2.8 times fewer products, whose rounding errors are some ten times as large, 3e-6 of
// the largest magnitude around. To be run before BoundValues, which takes it back where there may
// be NaN.
void ChooseWinograd(backend::Graph& graph, const backend::Backend& backend);

}  // namespace lazynet::plan
