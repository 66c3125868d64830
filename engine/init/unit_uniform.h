#pragma once

#include <cstdint>

namespace lazynet::init {

// Numbers in [0, 1) as PyTorch makes them: as many low bits of a draw as the type's significand
// holds, as a fraction. Exact in every type.
inline constexpr uint32_t kFp32Mask = (1u << 24) - 1;
inline constexpr uint32_t kFp16Mask = (1u << 11) - 1;
inline constexpr uint32_t kBf16Mask = (1u << 8) - 1;

// Through int32_t, which vectors convert in one instruction.
inline float UnitFp32(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word & kFp32Mask)) * 0x1p-24f;
}

inline double UnitFp64(uint32_t high, uint32_t low) {
  const uint64_t word = (uint64_t{high} << 32) | low;
  return static_cast<double>(static_cast<int64_t>(word & ((uint64_t{1} << 53) - 1))) * 0x1p-53;
}

// `bits` is a draw under kFp16Mask or kBf16Mask.
inline float UnitFp16(uint32_t bits) { return static_cast<float>(bits) * 0x1p-11f; }
inline float UnitBf16(uint32_t bits) { return static_cast<float>(bits) * 0x1p-8f; }

}  // namespace lazynet::init
