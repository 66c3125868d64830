#pragma once

#include <bit>
#include <cstdint>

namespace lazynet::backend::own {

// An element of BF16: the upper half of a float.
struct Bf16 {
  uint16_t bits = 0;
};

inline float Widen(float x) { return x; }
inline float Widen(Bf16 x) { return std::bit_cast<float>(uint32_t{x.bits} << 16); }

// To the nearest, ties to even; NaN stays NaN. In these steps loops of it become vectors.
template <typename T>
T Narrow(float x);
template <>
inline float Narrow<float>(float x) {
  return x;
}
template <>
inline Bf16 Narrow<Bf16>(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  const uint32_t quiet = bits | 0x400000u;
  return {static_cast<uint16_t>((x != x ? quiet : rounded) >> 16)};
}

}  // namespace lazynet::backend::own
