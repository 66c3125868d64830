#pragma once

#include <vector>

#include "engine/backend/graph.h"
#include "engine/backend/packed_weights.h"

namespace lazynet::plan {

// A value whose range has to be checked before an op runs.
struct CheckedValue {
  size_t before_op = 0;
  backend::ValueId value = backend::kNoValue;
};

// Activations that are fused may take NaN for a number (Backend::Fuses), and convolutions by
// Winograd's algorithm spread it. That is right where there can be none: of finite weights and
// inputs, a sum of products is NaN only after it has overflown. So the magnitude of each value is
// bounded from that of the inputs, by the sums of the weights' magnitudes, and where a bound comes
// near the largest float, or is not known, the value's real magnitude has to be checked, which
// gives a new bound. That is the network's input, and for deep ones a value every ten to twenty
// layers.
//
// Returns these values, and takes apart fused ops for which there is no bound even so, and the
// algorithm from convolutions. What is learned of weights is kept in `packed`. The errors are those
// of making constants.
absl::StatusOr<std::vector<CheckedValue>> BoundValues(backend::Graph& graph,
                                                      backend::PackedWeights& packed);

}  // namespace lazynet::plan
