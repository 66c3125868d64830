#pragma once

#include <span>

#include "engine/core/dtype.h"
#include "engine/core/status.h"

namespace lazynet::nn {

// PyTorch's type promotion between tensors of rank 1 and more: bool < integer < floating, and
// within a category the wider; FP16 with BF16 is FP32, UINT8 with INT8 is INT16. Tensors of rank 0
// count as any other here, since ranks are not known when dtypes are. UINT16 to UINT64, which
// PyTorch 1.13 lacks, go to the next signed type.
DType Promote(DType a, DType b);
DType Promote(std::span<const DType> dtypes);  // at least one

// A tensor with a Python number, which raises the category only: an integral one makes INT64 of
// BOOL, another FP32 of BOOL and of integers.
DType PromoteWithNumber(DType tensor, bool integral);

// What functions with fractional results, such as exp or a quotient, make of integers: FP32.
DType ToFloating(DType dtype);

// The dtype that arithmetic on values of `dtype` is done in: 16-bit floats in FP32, integers in
// INT64, the others in themselves.
DType ArithmeticDType(DType dtype);

// INVALID_ARGUMENT where one of `inputs` is UINT64 and `joined`, which they are promoted to, an
// integer: for functions of order, sign or quotients. As INT64, numbers from 2^63 on are negative,
// which sums, products and equality do not mind.
absl::Status CheckOrdered(std::span<const DType> inputs, DType joined);

}  // namespace lazynet::nn
