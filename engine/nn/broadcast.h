#pragma once

#include <span>

#include "engine/core/shape.h"

namespace lazynet::nn {

// The shape of values of all these shapes taken together as PyTorch does: aligned at the right, an
// axis of size 1 or none stretches. What a kUnknownDim leaves open is kUnknownDim. INVALID_ARGUMENT
// when they do not fit, or the result is beyond the bounds of a tensor.
absl::StatusOr<Shape> Broadcast(const Shape& a, const Shape& b);
absl::StatusOr<Shape> Broadcast(std::span<const Shape> shapes);  // at least one

}  // namespace lazynet::nn
