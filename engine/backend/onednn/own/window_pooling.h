#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/backend/onednn/own/bf16.h"
#include "engine/backend/onednn/own/isa.h"

namespace lazynet::backend::own {

// Where the windows of one axis lie.
struct WindowAxis {
  // The taps of a window within src: begin, begin + step, ..., `count` of them.
  struct Window {
    int64_t begin = 0;
    int64_t count = 0;
    int64_t divisor = 1;  // this axis's factor of the average's divisor
  };

  int64_t src_size = 1;
  int64_t step = 1;
  std::vector<Window> windows;

  // Where all windows have equal shapes but for the clipping: window i begins at i * stride -
  // padding and has `kernel` taps. 0 = not so (adaptive bins).
  int64_t stride = 0;
  int64_t padding = 0;
  int64_t kernel = 0;
};

// Pooling of src [outer, D, H, W, inner] to dst [outer, D', H', W', inner], dense. With inner
// = 1 this is a row-major [N, C, D, H, W], with inner = C channels-last, with inner = 8 or 16 and
// outer = N * C / inner a blocked layout.
//   kMax: -inf for a window without taps; NaN wins.
//   kSum: the sum of the taps over the product of the divisors; 0 for a window without taps.
struct WindowPooling {
  enum class Kind { kMax, kSum };

  Kind kind = Kind::kMax;
  int64_t outer = 1;
  int64_t inner = 1;
  std::array<WindowAxis, 3> axes;  // D, H, W; fewer spatial axes lead with axes of size 1
};

// An axis of size 1 that nothing happens on.
WindowAxis UnitAxis();

// Bytes of scratch memory of a run.
size_t ScratchBytes(const WindowPooling& pooling);

// Runs on one thread. T is float, or Bf16 where DetectBf16() says so.
template <typename T>
using WindowPoolingFunction = void (*)(const WindowPooling& pooling, const T* src, T* dst,
                                       float* scratch);
template <typename T>
WindowPoolingFunction<T> SelectWindowPooling(Isa isa);

}  // namespace lazynet::backend::own
