#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/graph.h"

namespace lazynet::plan {

// Keeps values between ops in `dtype`, BF16, instead of FP32 where `backend` computes so, with
// Casts at the borders: from products on, as far as ops follow that can. Products whose results are
// read as FP32 only write them so, and ops between such a product and an output stay FP32 if that
// takes no Cast. Inputs, outputs and constants keep their dtypes. To be run before FuseOps.
//
// Returns whether anything was changed.
bool LowerPrecision(backend::Graph& graph, const backend::Backend& backend, DType dtype);

}  // namespace lazynet::plan
