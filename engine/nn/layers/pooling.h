#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// MaxPool{1,2,3}d(kernel_size, stride=kernel_size, padding=0, dilation=1, ceil_mode=False).
std::unique_ptr<const Layer> MakeMaxPool(int axes, AttributeReader& reader);

// AvgPool{1,2,3}d(kernel_size, stride=kernel_size, padding=0, ceil_mode=False,
// count_include_pad=True, divisor_override=None); the 1-d one has no divisor_override.
std::unique_ptr<const Layer> MakeAvgPool(int axes, AttributeReader& reader);

// LPPool{1,2}d(norm_type, kernel_size, stride=kernel_size, ceil_mode=False): the p-th root of the
// sum of p-th powers, signs and all.
std::unique_ptr<const Layer> MakeLpPool(int axes, AttributeReader& reader);

}  // namespace lazynet::nn
