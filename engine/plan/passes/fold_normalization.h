#pragma once

#include "engine/backend/graph.h"

namespace lazynet::plan {

// Folds a normalization with given statistics into the convolution, deconvolution or inner product
// before it, when nothing else reads that one's output: weights * g per output channel, with
// g = scale / sqrt(variance + eps), and bias (bias - mean) g + shift. Computed in double.
void FoldNormalization(backend::Graph& graph);

}  // namespace lazynet::plan
