#pragma once

#include <cstddef>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/op.h"

namespace lazynet::backend::own {

// dst[i] = f(src[i]) for i < size; dst may be src. NaN stays NaN.
using ElementwiseFunction = void (*)(const float* src, float* dst, size_t size, float alpha,
                                     float beta);

// The piecewise linear functions (relu, clamp, leaky_relu, hardswish, hardsigmoid, linear); null
// for others.
ElementwiseFunction SelectElementwise(Eltwise::Algorithm algorithm, Isa isa);

// f(0) of these functions.
float ElementwiseOfZero(Eltwise::Algorithm algorithm, float alpha, float beta);

}  // namespace lazynet::backend::own
