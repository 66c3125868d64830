#pragma once

#include "engine/core/shape.h"

namespace lazynet::nn {

// Whether two dims are the same, or may be: either may be kUnknownDim.
inline bool MayEqual(int64_t a, int64_t b) {
  return a == b || a == kUnknownDim || b == kUnknownDim;
}

// The same for all dims of two shapes of one rank; false for others.
inline bool MayEqual(const Shape& a, const Shape& b) {
  bool fits = a.rank() == b.rank();
  for (int axis = 0; fits && axis < a.rank(); ++axis) fits = MayEqual(a.dim(axis), b.dim(axis));
  return fits;
}

}  // namespace lazynet::nn
