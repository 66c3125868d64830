#pragma once

#include "engine/core/shape.h"

namespace lazynet::nn {

// The shape that both stretch to, as PyTorch's: aligned at the right, a size of 1 takes any. Where
// a dim is unknown the result is known only if the other tells it. INVALID_ARGUMENT when there is
// none.
absl::StatusOr<Shape> Broadcast(const Shape& a, const Shape& b);

}  // namespace lazynet::nn
