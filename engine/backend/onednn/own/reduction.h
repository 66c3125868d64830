#pragma once

#include <cstdint>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/op.h"

namespace lazynet::backend::own {

// src [outer, size, inner] -> dst [outer, inner]. Sums are added up in double.
struct ReductionShape {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
};
using ReductionFunction = void (*)(const ReductionShape& shape, const float* src, float* dst);

// kSum, kMean, kMax, kMin, and kNorm with p = 1 or 2; null for others.
ReductionFunction SelectReduction(const Reduction& op, Isa isa);

}  // namespace lazynet::backend::own
