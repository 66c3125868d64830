#pragma once

#include "engine/core/tensor.h"

namespace lazynet {

// Writes src's elements in dst's dtype; the shapes are equal. To floating types: rounded to nearest
// even, 16-bit ones from FP64 and large integers by way of FP32, as PyTorch does. To integers:
// truncated; values that the type cannot hold become 0. To BOOL: whether it is not 0. Returns
// whether every element kept its value (NaN is kept as NaN).
bool Convert(const TensorView& src, const MutableTensorView& dst);

// The tensor itself when it has the dtype already, else a converted copy; `exact`, if given,
// becomes what Convert returns. RESOURCE_EXHAUSTED when there is no memory for the copy.
absl::StatusOr<Tensor> Converted(const Tensor& tensor, DType dtype, bool* exact = nullptr);

}  // namespace lazynet
