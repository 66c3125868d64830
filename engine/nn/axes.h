#pragma once

#include <span>

#include "engine/backend/op.h"
#include "engine/core/shape.h"

namespace lazynet::nn {

// The axis that `dim` means in a shape of this rank: counted from the end when negative, and 0 or
// -1 in a scalar, which PyTorch takes for a list of one. INVALID_ARGUMENT when there is none.
absl::StatusOr<int> AxisOf(int64_t dim, const Shape& shape);

// Those of a list, ascending; all of the shape's when the list is empty. INVALID_ARGUMENT also when
// one is named twice. A scalar has none.
absl::StatusOr<backend::AxisVector> AxesOf(std::span<const int64_t> dims, const Shape& shape);

// The shape with these axes of size 1, or without them.
Shape ReducedShape(const Shape& shape, const backend::AxisVector& axes, bool keep);

}  // namespace lazynet::nn
