#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// The element-by-element functions of one tensor. Fractional ones (Exp, Log, Sqrt, Sin, ...) make
// FP32 of integers; Abs, Neg, Sign, Square and the roundings keep their dtype; Isnan and LogicalNot
// give BOOL; Clamp(min, max), one of which may be absent, promotes as with numbers. Any shape; the
// output has the same.
std::vector<std::string_view> UnaryTypes();
std::unique_ptr<const Layer> MakeUnary(std::string_view type, AttributeReader& reader);

}  // namespace lazynet::nn
