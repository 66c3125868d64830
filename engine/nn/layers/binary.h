#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// The element-by-element functions of two tensors, or of one and a number (`other`), with PyTorch's
// broadcasting and type promotion: Add(alpha), Sub(alpha), Mul, Div(rounding_mode), Pow(exponent or
// self), Maximum, Minimum, FloorDivide, Remainder, Fmod; Eq, Ne, Lt, Le, Gt, Ge, LogicalAnd,
// LogicalOr, LogicalXor, which give BOOL. Add and Mul take more inputs too, from left to right.
std::vector<std::string_view> BinaryTypes();
std::unique_ptr<const Layer> MakeBinary(std::string_view type, AttributeReader& reader);

}  // namespace lazynet::nn
