#pragma once

#include <cstdint>

#include "engine/backend/onednn/own/bf16.h"
#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/op.h"

namespace lazynet::backend::own {

// src [outer, size, inner] -> dst [outer, inner]. Sums are added up in double.
struct ReductionShape {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
};
template <typename T>
using ReductionFunction = void (*)(const ReductionShape& shape, const T* src, T* dst);

// kSum, kMean, kMax, kMin, and kNorm with p = 1 or 2; null for others. T is float or Bf16.
template <typename T>
ReductionFunction<T> SelectReduction(const Reduction& op, Isa isa);

}  // namespace lazynet::backend::own
