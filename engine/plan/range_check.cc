#include "engine/plan/range_check.h"

#include <bit>
#include <cstdint>

namespace lazynet::plan {
namespace {

// Versions for several instruction sets. Not for ThreadSanitizer: which one to take is decided
// before its runtime is there, by code that it instruments.
#ifdef __SANITIZE_THREAD__
#define LAZYNET_FOR_EACH_ISA(...)
#else
#define LAZYNET_FOR_EACH_ISA(...) __attribute__((target_clones(__VA_ARGS__, "default")))
#endif

// The largest magnitude's bits: magnitudes are ordered as these are, infinity and NaN behind all.
LAZYNET_FOR_EACH_ISA("avx512f", "avx2")
uint32_t LargestMagnitude(const uint32_t* values, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = values[i] & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

// The same of BF16, the upper half of FP32.
LAZYNET_FOR_EACH_ISA("avx2") uint16_t LargestMagnitude(const uint16_t* values, size_t count) {
  uint16_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto magnitude = static_cast<uint16_t>(values[i] & 0x7fffu);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

constexpr uint32_t kCheckedBits = std::bit_cast<uint32_t>(kCheckedMagnitude);
constexpr uint32_t kCheckedBf16Bits = (kCheckedBits + 0x8000) >> 16;  // what that is rounded to

class RangeCheck final : public backend::Kernel {
 public:
  RangeCheck(DType dtype, size_t count) : dtype_(dtype), count_(count) {}

  absl::Status Run(const Buffers& buffers) const override {
    const std::byte* const src = buffers.srcs[0];
    const bool large =
        dtype_ == DType::kBf16
            ? LargestMagnitude(reinterpret_cast<const uint16_t*>(src), count_) > kCheckedBf16Bits
            : LargestMagnitude(reinterpret_cast<const uint32_t*>(src), count_) > kCheckedBits;
    if (large) return absl::OutOfRangeError("a value is NaN or too large for a fast plan");
    return absl::OkStatus();
  }

 private:
  DType dtype_;
  size_t count_;
};

}  // namespace

std::unique_ptr<backend::Kernel> MakeRangeCheck(DType dtype, size_t count) {
  LAZYNET_CHECK(dtype == DType::kFp32 || dtype == DType::kBf16);
  return std::make_unique<RangeCheck>(dtype, count);
}

}  // namespace lazynet::plan
