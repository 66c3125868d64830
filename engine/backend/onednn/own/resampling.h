#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/onednn/own/isa.h"

namespace lazynet::backend::own {

// Sums of what lies at some offsets, times weights: the sums of item i are begins[i] to below
// begins[i + 1]. At least one for each.
struct WeightedSums {
  std::vector<size_t> begins;
  std::vector<int64_t> offsets;
  std::vector<float> weights;
  bool copies = false;  // one of each, with weight 1
  bool pairs = false;   // two of each

  size_t items() const { return begins.size() - 1; }
};

// Separable resampling of src [outer, rows, width, inner] to dst [outer, rows', width', inner],
// dense FP32, for the layouts of WindowPooling. Depth and height are one axis of rows.
struct SeparableResampling {
  int64_t outer = 1;
  int64_t inner = 1;
  int64_t src_rows = 1;
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
