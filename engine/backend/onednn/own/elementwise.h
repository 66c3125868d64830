#pragma once

#include <cstddef>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/op.h"

namespace lazynet::backend::own {

// dst[i] = f(src[i]) for i < size; dst may be src. NaN is as in op.h.
using ElementwiseFunction = void (*)(const float* src, float* dst, size_t size, float alpha,
                                     float beta);

// The functions of a few instructions (the piecewise linear ones, roots, roundings, ...) and those
// of activation.h; null for others.
ElementwiseFunction SelectElementwise(Eltwise::Algorithm algorithm, Isa isa);

// f(0) of these functions.
float ElementwiseOfZero(Eltwise::Algorithm algorithm, float alpha, float beta);

}  // namespace lazynet::backend::own
