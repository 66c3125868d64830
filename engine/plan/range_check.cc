#include "engine/plan/range_check.h"

#include <bit>
#include <cstdint>

namespace lazynet::plan {
namespace {

// The largest magnitude's bits: magnitudes are ordered as these are, infinity and NaN behind all.
__attribute__((target_clones("avx512f", "avx2", "default"))) uint32_t LargestMagnitude(
    const uint32_t* values, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = values[i] & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

class RangeCheck final : public backend::Kernel {
 public:
  explicit RangeCheck(size_t count) : count_(count) {}

  absl::Status Run(const Buffers& buffers) const override {
    const uint32_t largest =
        LargestMagnitude(reinterpret_cast<const uint32_t*>(buffers.srcs[0]), count_);
    if (largest > std::bit_cast<uint32_t>(kCheckedMagnitude)) {
      return absl::OutOfRangeError("a value is NaN or too large for a fast plan");
    }
    return absl::OkStatus();
  }

 private:
  size_t count_;
};

}  // namespace

std::unique_ptr<backend::Kernel> MakeRangeCheck(size_t count) {
  return std::make_unique<RangeCheck>(count);
}

}  // namespace lazynet::plan
