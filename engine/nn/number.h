#pragma once

#include <string>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Whether a number of a definition counts as a Python int: a whole one that INT64 holds. Others are
// Python floats.
bool IsIntegral(double number);

// As Python writes it: "2" or "2.5".
std::string PythonNumber(double number);

// INVALID_ARGUMENT unless a tensor of `dtype` can be filled with the number, as PyTorch has it: it
// lies between the least and the largest one. Floats may be infinite and NaN, integers drop a
// fraction, and of BOOL it is what is not 0.
absl::Status CheckHolds(DType dtype, double number);

// The same of a number that stands among the elements, such as a limit: negative whole ones wrap in
// UINT8, as in PyTorch.
absl::Status CheckAmong(DType dtype, double number);

// A number that a tensor of `dtype` takes part in a function with, as a scalar of the dtype that
// arithmetic on it is done in; for integers one that INT64 holds. Beyond an integer dtype it wraps,
// as in PyTorch's sums, products and comparisons.
backend::ValueId AddNumber(Lowering& lowering, double number, DType dtype);

}  // namespace lazynet::nn
