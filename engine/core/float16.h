#pragma once

#include <cstdint>

namespace lazynet {

// IEEE binary16 and bfloat16 as raw bits; rounding is to nearest even, NaN stays NaN.
float HalfToFloat(uint16_t bits);
uint16_t FloatToHalf(float value);
float Bfloat16ToFloat(uint16_t bits);
uint16_t FloatToBfloat16(float value);

}  // namespace lazynet
