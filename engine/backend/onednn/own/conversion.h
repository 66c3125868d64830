#pragma once

#include <cstddef>

#include "engine/backend/onednn/own/bf16.h"

namespace lazynet::backend::own {

// Elements of one type as the other, to BF16 to the nearest; NaN stays NaN. Where there is
// AVX512_BF16, numbers that are not normal become 0. Runs on one thread.
void Convert(const float* src, Bf16* dst, size_t size);
void Convert(const Bf16* src, float* dst, size_t size);

}  // namespace lazynet::backend::own
