#pragma once

#include <cstdint>

#include "engine/backend/onednn/own/isa.h"

namespace lazynet::backend::own {

// Softmax over the middle axis of dense FP32 src [outer, size, inner]; dst may be src. A NaN, an
// infinity or nothing but -inf makes the whole row NaN, as exp(x - max) / sum does.
struct SoftmaxShape {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
  bool log = false;
};

// Runs on one thread.
using SoftmaxFunction = void (*)(const SoftmaxShape& shape, const float* src, float* dst);
SoftmaxFunction SelectSoftmax(Isa isa);

}  // namespace lazynet::backend::own
