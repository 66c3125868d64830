#pragma once

#include "engine/core/shape.h"

namespace lazynet::nn {

// Shapes [..., rows, columns] as batches of matrices.

// The dims but for the last two.
Shape BatchOf(const Shape& shape);

// The shape of such a batch of matrices.
Shape WithMatrix(const Shape& batch, int64_t rows, int64_t columns);

// As many axes as `rank`, those added in front being of size 1.
Shape WithRank(const Shape& shape, int rank);

}  // namespace lazynet::nn
