#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <span>

#include "engine/core/check.h"
#include "engine/core/float16.h"
#include "engine/init/distributions.h"
#include "engine/init/unit_uniform.h"

namespace lazynet::init {
namespace {

// From 16 elements on, PyTorch makes normals in blocks of 16: lane i's unit gives the radius of
// lanes i and i + 8, lane i + 8's unit their angle.
constexpr size_t kBlock = 16;
constexpr size_t kLanes = kBlock / 2;

// The order of operations in Log and SinCos, and which of them are fused, decide the last bits:
// they are those of the Cephes single precision polynomials as PyTorch's AVX2 kernel has them.
// 0 < x <= 1.
template <FmaPath path>
[[gnu::always_inline]] inline float Log(float x) {
  constexpr float kSqrtHalf = 0.707106781186547524f;
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint32_t fraction = (bits & 0x007FFFFFu) | 0x3F000000u;  // of a float in [0.5, 1)
  const uint32_t small = -static_cast<uint32_t>(fraction < std::bit_cast<uint32_t>(kSqrtHalf));
  const float exponent = static_cast<float>(static_cast<int32_t>((bits >> 23) - 126u + small));
  x = (std::bit_cast<float>(fraction) - 1.0f) + std::bit_cast<float>(fraction & small);
  const float square = x * x;
  float y = Fma<path>(7.0376836292e-2f, x, -1.1514610310e-1f);
  y = Fma<path>(y, x, 1.1676998740e-1f);
  y = Fma<path>(y, x, -1.2420140846e-1f);
  y = Fma<path>(y, x, 1.4249322787e-1f);
  y = Fma<path>(y, x, -1.6668057665e-1f);
  y = Fma<path>(y, x, 2.0000714765e-1f);
  y = Fma<path>(y, x, -2.4999993993e-1f);
  y = Fma<path>(y, x, 3.3333331174e-1f);
  y = y * x;
  y = Fma<path>(y, square, exponent * -2.12194440e-4f);
  y = Fma<path>(-square, 0.5f, y);
  return Fma<path>(exponent, 0.693359375f, x + y);
}

// x >= 0.
template <FmaPath path>
[[gnu::always_inline]] inline void SinCos(float x, float& sine, float& cosine) {
  const uint32_t octant =
      (static_cast<uint32_t>(static_cast<int32_t>(x * 1.27323954473516f)) + 1u) & ~1u;
  const float turns = static_cast<float>(static_cast<int32_t>(octant));
  x = Fma<path>(turns, -0.78515625f, x);
  x = Fma<path>(turns, -2.4187564849853515625e-4f, x);
  x = Fma<path>(turns, -3.77489497744594108e-8f, x);
  const float square = x * x;
  float c = Fma<path>(2.443315711809948e-5f, square, -1.388731625493765e-3f);
  c = Fma<path>(c, square, 4.166664568298827e-2f);
  c = c * square;
  c = Fma<path>(c, square, -(square * 0.5f)) + 1.0f;
  float s = Fma<path>(-1.9515295891e-4f, square, 8.3321608736e-3f);
  s = Fma<path>(s, square, -1.6666654611e-1f);
  s = s * square;
  s = Fma<path>(s, x, x);
  const uint32_t swap =
      -((octant >> 1) & 1u) & (std::bit_cast<uint32_t>(s) ^ std::bit_cast<uint32_t>(c));
  const uint32_t sine_sign = (octant & 4u) << 29;
  const uint32_t cosine_sign = (~(octant - 2u) & 4u) << 29;
  sine = std::bit_cast<float>(std::bit_cast<uint32_t>(s) ^ swap ^ sine_sign);
  cosine = std::bit_cast<float>(std::bit_cast<uint32_t>(c) ^ swap ^ cosine_sign);
}

template <FmaPath path>
[[gnu::always_inline]] inline void KernelFp32(std::span<const uint32_t> words, float mean,
                                              float std, float* dst) {
  for (size_t block = 0; block < words.size(); block += kBlock) {
    for (size_t i = block; i < block + kLanes; ++i) {
      const float radius = std::sqrt(-2.0f * Log<path>(1.0f - UnitFp32(words[i])));
      float sine, cosine;
      SinCos<path>(2.0f * std::numbers::pi_v<float> * UnitFp32(words[i + kLanes]), sine, cosine);
      dst[i] = Fma<path>(radius * cosine, std, mean);
      dst[i + kLanes] = Fma<path>(radius * sine, std, mean);
    }
  }
}

LAZYNET_INIT_TARGET_FMA void HardwareFp32(std::span<const uint32_t> words, float mean, float std,
                                          float* dst) {
  KernelFp32<FmaPath::kHardware>(words, mean, std, dst);
}

void BlocksFp32(std::span<const uint32_t> words, double mean, double std, float* dst,
                FmaPath path) {
  if (path == FmaPath::kHardware) {
    HardwareFp32(words, static_cast<float>(mean), static_cast<float>(std), dst);
  } else {
    KernelFp32<FmaPath::kPortable>(words, static_cast<float>(mean), static_cast<float>(std), dst);
  }
}

void BlocksFp64(std::span<const uint32_t> words, double mean, double std, double* dst) {
  const size_t count = words.size() / 2;
  for (size_t i = 0; i < count; ++i) dst[i] = UnitFp64(words[2 * i], words[2 * i + 1]);
  for (size_t block = 0; block < count; block += kBlock) {
    for (size_t i = block; i < block + kLanes; ++i) {
      const double radius = std::sqrt(-2.0 * std::log(1.0 - dst[i]));
      const double angle = 2.0 * std::numbers::pi * dst[i + kLanes];
      dst[i] = std::fma(radius * std::cos(angle), std, mean);
      dst[i + kLanes] = std::fma(radius * std::sin(angle), std, mean);
    }
  }
}

float AngleOf(float unit) {
  return static_cast<float>(2.0 * std::numbers::pi * static_cast<double>(unit));
}

// Radius and angle are halves, what follows is float.
void BlocksFp16(std::span<const uint32_t> words, double mean, double std, uint16_t* dst) {
  const auto round = [](float value) { return HalfToFloat(FloatToHalf(value)); };
  const float center = round(static_cast<float>(mean));
  const float width = round(static_cast<float>(std));
  for (size_t block = 0; block < words.size(); block += kBlock) {
    for (size_t i = block; i < block + kLanes; ++i) {
      const float unit = UnitFp16(words[i] & kFp16Mask);
      const float radius = round(std::sqrt(-2.0f * std::log(round(1.0f - unit))));
      const float angle = round(AngleOf(UnitFp16(words[i + kLanes] & kFp16Mask)));
      dst[i] = FloatToHalf(PortableFma(radius * std::cos(angle), width, center));
      dst[i + kLanes] = FloatToHalf(PortableFma(radius * std::sin(angle), width, center));
    }
  }
}

// Every intermediate is rounded, and nothing is fused.
void BlocksBf16(std::span<const uint32_t> words, double mean, double std, uint16_t* dst) {
  const auto round = [](float value) { return Bfloat16ToFloat(FloatToBfloat16(value)); };
  const float center = round(static_cast<float>(mean));
  const float width = round(static_cast<float>(std));
  for (size_t block = 0; block < words.size(); block += kBlock) {
    for (size_t i = block; i < block + kLanes; ++i) {
      const float unit = UnitBf16(words[i] & kBf16Mask);
      const float log = round(std::log(round(1.0f - unit)));
      const float radius = round(std::sqrt(round(-2.0f * log)));
      const float angle = round(AngleOf(UnitBf16(words[i + kLanes] & kBf16Mask)));
      const float x = round(radius * round(std::cos(angle)));
      const float y = round(radius * round(std::sin(angle)));
      dst[i] = FloatToBfloat16(round(x * width) + center);
      dst[i + kLanes] = FloatToBfloat16(round(y * width) + center);
    }
  }
}

// make_blocks(words, dst) turns words, a whole number of blocks, into elements.
template <typename T, typename MakeBlocks>
void FillBlocks(Generator& generator, std::span<T> dst, const MakeBlocks& make_blocks) {
  constexpr size_t kWordsPerElement = sizeof(T) > sizeof(uint32_t) ? 2 : 1;
  constexpr size_t kChunk = 64 * kBlock;
  std::array<uint32_t, kChunk * kWordsPerElement> buffer;
  const auto make = [&](T* to, size_t count) {
    const std::span<uint32_t> words(buffer.data(), count * kWordsPerElement);
    generator.Fill(words);
    make_blocks(words, to);
  };
  const size_t rest = dst.size() % kBlock;
  const size_t whole = dst.size() - rest;
  for (size_t done = 0; done < whole; done += kChunk) {
    make(dst.data() + done, std::min(kChunk, whole - done));
  }
  if (rest == 0) return;
  // PyTorch draws a unit for every element, then draws the last 16 elements anew.
  generator.Discard(rest * kWordsPerElement);
  make(dst.data() + dst.size() - kBlock, kBlock);
}

double NextNormal(Generator& generator) {
  if (const std::optional<double> cached = generator.TakeCachedNormal()) return *cached;
  const auto next_unit = [&] {
    const uint32_t high = generator.Next32();
    return UnitFp64(high, generator.Next32());
  };
  const double angle = 2.0 * std::numbers::pi * next_unit();
  const double radius = std::sqrt(-2.0 * std::log(1.0 - next_unit()));
  generator.CacheNormal(radius * std::sin(angle));
  return radius * std::cos(angle);
}

// convert(double) makes an element.
template <typename T, typename Convert>
void FillFew(Generator& generator, double mean, double std, std::span<T> dst,
             const Convert& convert) {
  for (T& element : dst) element = convert(std::fma(NextNormal(generator), std, mean));
}

}  // namespace

void Normal(Generator& generator, double mean, double std, const MutableTensorView& dst,
            FmaPath path) {
  LAZYNET_CHECK(IsFloating(dst.dtype));
  const bool few = dst.shape.num_elements() < static_cast<int64_t>(kBlock);
  if (dst.dtype == DType::kFp32) {
    const std::span<float> values = dst.values<float>();
    if (few) {
      return FillFew(generator, mean, std, values, [](double v) { return static_cast<float>(v); });
    }
    return FillBlocks(generator, values, [=](std::span<const uint32_t> words, float* to) {
      BlocksFp32(words, mean, std, to, path);
    });
  }
  if (dst.dtype == DType::kFp64) {
    const std::span<double> values = dst.values<double>();
    if (few) return FillFew(generator, mean, std, values, [](double v) { return v; });
    return FillBlocks(generator, values, [=](std::span<const uint32_t> words, double* to) {
      BlocksFp64(words, mean, std, to);
    });
  }
  const std::span<uint16_t> values(reinterpret_cast<uint16_t*>(dst.data),
                                   static_cast<size_t>(dst.shape.num_elements()));
  const bool half = dst.dtype == DType::kFp16;
  if (few) {
    return FillFew(generator, mean, std, values, [=](double v) {
      return half ? FloatToHalf(static_cast<float>(v)) : FloatToBfloat16(static_cast<float>(v));
    });
  }
  FillBlocks(generator, values, [=](std::span<const uint32_t> words, uint16_t* to) {
    half ? BlocksFp16(words, mean, std, to) : BlocksBf16(words, mean, std, to);
  });
}

void SkipNormal(Generator& generator, DType dtype, int64_t count) {
  constexpr auto kBlockElements = static_cast<int64_t>(kBlock);
  if (count < kBlockElements) {
    for (int64_t i = 0; i < count; ++i) NextNormal(generator);
  } else {
    SkipUniform(generator, dtype, count % kBlockElements == 0 ? count : count + kBlockElements);
  }
}

}  // namespace lazynet::init
