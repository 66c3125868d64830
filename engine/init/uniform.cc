#include <algorithm>
#include <array>
#include <span>

#include "engine/core/check.h"
#include "engine/core/float16.h"
#include "engine/init/distributions.h"
#include "engine/init/unit_uniform.h"

namespace lazynet::init {
namespace {

constexpr size_t kChunkWords = 1024;

template <FmaPath path>
[[gnu::always_inline]] inline void KernelFp32(std::span<const uint32_t> words, float lo,
                                              float range, float* dst) {
  for (size_t i = 0; i < words.size(); ++i) dst[i] = Fma<path>(UnitFp32(words[i]), range, lo);
}

template <FmaPath path>
[[gnu::always_inline]] inline void KernelFp64(std::span<const uint32_t> words, double lo,
                                              double range, double* dst) {
  for (size_t i = 0; i < words.size() / 2; ++i) {
    dst[i] = Fma<path>(UnitFp64(words[2 * i], words[2 * i + 1]), range, lo);
  }
}

LAZYNET_INIT_TARGET_FMA void HardwareFp32(std::span<const uint32_t> words, float lo, float range,
                                          float* dst) {
  KernelFp32<FmaPath::kHardware>(words, lo, range, dst);
}

LAZYNET_INIT_TARGET_FMA void HardwareFp64(std::span<const uint32_t> words, double lo, double range,
                                          double* dst) {
  KernelFp64<FmaPath::kHardware>(words, lo, range, dst);
}

void UniformFp32(Generator& generator, double lo, double hi, std::span<float> dst, FmaPath path) {
  const float low = static_cast<float>(lo);
  const float range = static_cast<float>(hi) - low;
  std::array<uint32_t, kChunkWords> buffer;
  while (!dst.empty()) {
    const size_t count = std::min(dst.size(), kChunkWords);
    const std::span<uint32_t> words(buffer.data(), count);
    generator.Fill(words);
    if (path == FmaPath::kHardware) {
      HardwareFp32(words, low, range, dst.data());
    } else {
      KernelFp32<FmaPath::kPortable>(words, low, range, dst.data());
    }
    dst = dst.subspan(count);
  }
}

void UniformFp64(Generator& generator, double lo, double hi, std::span<double> dst, FmaPath path) {
  const double range = hi - lo;
  std::array<uint32_t, kChunkWords> buffer;
  while (!dst.empty()) {
    const size_t count = std::min(dst.size(), kChunkWords / 2);
    const std::span<uint32_t> words(buffer.data(), 2 * count);
    generator.Fill(words);
    if (path == FmaPath::kHardware) {
      HardwareFp64(words, lo, range, dst.data());
    } else {
      KernelFp64<FmaPath::kPortable>(words, lo, range, dst.data());
    }
    dst = dst.subspan(count);
  }
}

// A 16-bit type has few units, so large tensors look their values up: value_of(bits) for bits from
// 0 to kMask.
template <uint32_t kMask, typename ValueOf>
void Uniform16(Generator& generator, std::span<uint16_t> dst, const ValueOf& value_of) {
  std::array<uint16_t, kMask + 1> table;
  const bool tabulated = dst.size() > table.size();
  for (uint32_t bits = 0; tabulated && bits <= kMask; ++bits) table[bits] = value_of(bits);
  std::array<uint32_t, kChunkWords> buffer;
  while (!dst.empty()) {
    const size_t count = std::min(dst.size(), kChunkWords);
    const std::span<uint32_t> words(buffer.data(), count);
    generator.Fill(words);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t bits = words[i] & kMask;
      dst[i] = tabulated ? table[bits] : value_of(bits);
    }
    dst = dst.subspan(count);
  }
}

float RoundToHalf(float value) { return HalfToFloat(FloatToHalf(value)); }
float RoundToBfloat16(float value) { return Bfloat16ToFloat(FloatToBfloat16(value)); }

}  // namespace

void Uniform(Generator& generator, double lo, double hi, const MutableTensorView& dst,
             FmaPath path) {
  LAZYNET_CHECK(IsFloating(dst.dtype));
  if (dst.dtype == DType::kFp32) {
    UniformFp32(generator, lo, hi, dst.values<float>(), path);
  } else if (dst.dtype == DType::kFp64) {
    UniformFp64(generator, lo, hi, dst.values<double>(), path);
  } else {
    const std::span<uint16_t> bits(reinterpret_cast<uint16_t*>(dst.data),
                                   static_cast<size_t>(dst.shape.num_elements()));
    if (dst.dtype == DType::kFp16) {
      const float low = RoundToHalf(static_cast<float>(lo));
      const float range = RoundToHalf(RoundToHalf(static_cast<float>(hi)) - low);
      Uniform16<kFp16Mask>(generator, bits, [=](uint32_t unit) {
        return FloatToHalf(PortableFma(UnitFp16(unit), range, low));
      });
    } else {
      const float low = RoundToBfloat16(static_cast<float>(lo));
      const float range = RoundToBfloat16(RoundToBfloat16(static_cast<float>(hi)) - low);
      Uniform16<kBf16Mask>(generator, bits, [=](uint32_t unit) {
        return FloatToBfloat16(PortableFma(UnitBf16(unit), range, low));
      });
    }
  }
}

void SkipUniform(Generator& generator, DType dtype, int64_t count) {
  generator.Discard(static_cast<uint64_t>(count) * (dtype == DType::kFp64 ? 2 : 1));
}

}  // namespace lazynet::init
