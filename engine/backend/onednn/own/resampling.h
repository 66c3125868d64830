#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/onednn/own/isa.h"

namespace lazynet::backend::own {

// Sums of what lies at some offsets, times weights. At least one of each item: those of item i are
// begin(i) to below begin(i + 1).
struct WeightedSums {
  size_t items = 0;
  size_t taps = 0;             // of each item; 0 where not all have equally many
  std::vector<size_t> begins;  // items + 1 numbers where taps is 0
  std::vector<int32_t> offsets;
  std::vector<float> weights;  // none where all are copies
  bool copies = false;         // one of each, with weight 1

  size_t begin(size_t item) const { return taps != 0 ? item * taps : begins[item]; }
};

// Separable resampling of src [outer, rows, width, inner] to dst [outer, rows', width', inner],
// dense FP32, for the layouts of WindowPooling. Depth and height are one axis of rows.
struct SeparableResampling {
  int64_t outer = 1;
  int64_t inner = 1;
  int64_t src_rows = 1;  // below 2^31, as the width
  int64_t src_width = 1;
  WeightedSums rows;     // offsets are of rows
  WeightedSums columns;  // offsets are of pixels
};

// Bytes of scratch memory of a run: one row.
size_t ScratchBytes(const SeparableResampling& resampling);

// Runs on one thread.
using ResamplingFunction = void (*)(const SeparableResampling& resampling, const float* src,
                                    float* dst, float* scratch);
ResamplingFunction SelectResampling(Isa isa);

}  // namespace lazynet::backend::own
