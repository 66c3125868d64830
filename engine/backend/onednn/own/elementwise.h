#pragma once

#include <cstddef>

#include "engine/backend/onednn/own/bf16.h"
#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/op.h"

namespace lazynet::backend::own {

// dst[i] = f(src[i]) for i < size, computed in FP32; dst may be src. NaN is as in op.h. T is float,
// or Bf16 where DetectBf16() says so.
template <typename T>
using ElementwiseFunction = void (*)(const T* src, T* dst, size_t size, float alpha, float beta);

// The functions of a few instructions (the piecewise linear ones, roots, roundings, ...) and those
// of activation.h; null for others.
template <typename T>
ElementwiseFunction<T> SelectElementwise(Eltwise::Algorithm algorithm, Isa isa);

// f(0) of these functions.
float ElementwiseOfZero(Eltwise::Algorithm algorithm, float alpha, float beta);

}  // namespace lazynet::backend::own
