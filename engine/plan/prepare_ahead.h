#pragma once

#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/graph.h"
#include "engine/backend/packed_weights.h"

namespace lazynet::plan {

// Where nothing is packed yet, prepares the products of constant weights as the builder of a
// program will, each on one of `threads` threads: packing the weights is most of what the first
// plan of a network takes. The builder finds them in `packed` as long as the result lives, and what
// the library underneath keeps of its kernels. Errors are left for the builder to meet.
std::vector<backend::PreparedOp> PrepareAhead(const backend::Graph& graph,
                                              const backend::Backend& backend,
                                              backend::PackedWeights& packed, int threads);

}  // namespace lazynet::plan
