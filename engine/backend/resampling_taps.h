#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/op.h"
#include "engine/core/dtype.h"
#include "engine/core/shape.h"

namespace lazynet::backend {

// Of one axis of a Resampling, what the elements of dst are sums of.
struct ResamplingTaps {
  struct Tap {
    int64_t index;  // of src
    double weight;
  };

  // The taps of element i of dst: taps[begins[i]] to below taps[begins[i + 1]].
  std::vector<size_t> begins;
  std::vector<Tap> taps;
};

// `axis` counts the spatial axes of `src` and `dst`, [N, C, spatial...]; `dtype` is FP32 or FP64.
ResamplingTaps MakeResamplingTaps(const Resampling& op, size_t axis, const Shape& src,
                                  const Shape& dst, DType dtype);

}  // namespace lazynet::backend
