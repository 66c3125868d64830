#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend/onednn/own/bf16.h"
#include "engine/backend/onednn/own/isa.h"

namespace lazynet::backend::own {

// Softmax over the middle axis of dense src [outer, size, inner]; dst may be src. A NaN, an
// infinity or nothing but -inf makes the whole row NaN, as exp(x - max) / sum does.
struct SoftmaxShape {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
  bool log = false;
};

// Bytes of scratch memory of a run.
template <typename T>
size_t SoftmaxScratchBytes(const SoftmaxShape& shape);

// Runs on one thread. T is float, or Bf16 where DetectBf16() says so.
template <typename T>
using SoftmaxFunction = void (*)(const SoftmaxShape& shape, const T* src, T* dst, float* scratch);
template <typename T>
SoftmaxFunction<T> SelectSoftmax(Isa isa);

}  // namespace lazynet::backend::own
