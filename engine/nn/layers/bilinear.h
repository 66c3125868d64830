#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Bilinear(in1_features, in2_features, out_features, bias=True): [..., in1], [..., in2] ->
// [..., out], y_o = x1^T W_o x2 + b_o. Lazy in1_features and in2_features: the inputs' last dims.
std::unique_ptr<const Layer> MakeBilinear(AttributeReader& reader);

}  // namespace lazynet::nn
