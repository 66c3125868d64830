#pragma once

#include <cstddef>
#include <memory>

#include "engine/backend/backend.h"

namespace lazynet::plan {

// What a range check lets pass: magnitudes that networks do not come near.
inline constexpr float kCheckedMagnitude = 1e12f;

// A kernel that reads `count` elements of FP32 or BF16 and answers OUT_OF_RANGE when one is NaN or
// larger than kCheckedMagnitude. It writes nothing.
std::unique_ptr<backend::Kernel> MakeRangeCheck(DType dtype, size_t count);

}  // namespace lazynet::plan
