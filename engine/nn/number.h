#pragma once

#include <string>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Whether a number of a definition counts as a Python int: a whole one that INT64 holds. Others are
// Python floats.
bool IsIntegral(double number);

// As Python writes it: "2" or "2.5".
std::string PythonNumber(double number);

// A number that a tensor of `dtype` takes part in a function with, as a scalar of the dtype that
// arithmetic on it is done in. Beyond an integer dtype it wraps, as PyTorch has it.
backend::ValueId AddNumber(Lowering& lowering, double number, DType dtype);

}  // namespace lazynet::nn
