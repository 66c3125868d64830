#pragma once

#include "engine/core/status.h"
#include "engine/core/tensor.h"
#include "engine/init/generator.h"

namespace lazynet::init {

// torch.nn.init.orthogonal_(tensor, gain) for `dst` [rows, ...] of FP32 or FP64 and rank 2 or more,
// flattened to [rows, cols]: the rows, or the columns where those are fewer, become orthogonal and
// of length |gain|. Draws as Normal does: fills a matrix with N(0, 1), takes Q of its QR
// decomposition by LAPACK (geqrf, orgqr), and gives each column the sign of R's diagonal (Mezzadri,
// 2007). The bits equal those of a PyTorch that uses the same LAPACK and BLAS; others give other
// last bits.
//
// Costs about 4 * max(rows, cols) * min(rows, cols)^2 operations. RESOURCE_EXHAUSTED when there is
// no memory for the work: at most as much as the matrix and 64 values for each column. Rows and
// columns are at most 2^31 - 1. After an error nothing was drawn.
absl::Status Orthogonal(Generator& generator, double gain, const MutableTensorView& dst);

}  // namespace lazynet::init
