#include "engine/init/generator.h"

#include <algorithm>
#include <utility>

namespace lazynet::init {
namespace {

constexpr size_t kShift = 397;

uint32_t Twist(uint32_t current, uint32_t next) {
  const uint32_t mixed = (current & 0x80000000u) | (next & 0x7FFFFFFFu);
  return (mixed >> 1) ^ (-(next & 1u) & 0x9908B0DFu);
}

uint32_t Temper(uint32_t word) {
  word ^= word >> 11;
  word ^= (word << 7) & 0x9D2C5680u;
  word ^= (word << 15) & 0xEFC60000u;
  return word ^ (word >> 18);
}

}  // namespace

Generator::Generator(uint64_t seed) {
  state_[0] = static_cast<uint32_t>(seed);
  for (size_t i = 1; i < kBlockWords; ++i) {
    const uint32_t previous = state_[i - 1];
    state_[i] = 1812433253u * (previous ^ (previous >> 30)) + static_cast<uint32_t>(i);
  }
}

uint32_t Generator::Next32() {
  if (position_ == kBlockWords) NextBlock();
  ++words_;
  return Temper(state_[position_++]);
}

uint64_t Generator::Next64() {
  const uint64_t high = Next32();
  return (high << 32) | Next32();
}

void Generator::Fill(std::span<uint32_t> dst) {
  words_ += dst.size();
  while (!dst.empty()) {
    if (position_ == kBlockWords) NextBlock();
    const size_t count = std::min(dst.size(), kBlockWords - position_);
    for (size_t i = 0; i < count; ++i) dst[i] = Temper(state_[position_ + i]);
    position_ += count;
    dst = dst.subspan(count);
  }
}

void Generator::Discard(uint64_t words) {
  words_ += words;
  while (words > kBlockWords - position_) {
    words -= kBlockWords - position_;
    NextBlock();
  }
  position_ += words;
}

std::optional<double> Generator::TakeCachedNormal() {
  return std::exchange(cached_normal_, std::nullopt);
}

// In place, but each loop reads only words that it does not write or wrote long before, so that
// both vectorize.
void Generator::NextBlock() {
  uint32_t* const s = state_.data();
  constexpr size_t kSplit = kBlockWords - kShift;
  for (size_t i = 0; i < kSplit; ++i) s[i] = s[i + kShift] ^ Twist(s[i], s[i + 1]);
  for (size_t i = kSplit; i < kBlockWords - 1; ++i) s[i] = s[i - kSplit] ^ Twist(s[i], s[i + 1]);
  s[kBlockWords - 1] = s[kShift - 1] ^ Twist(s[kBlockWords - 1], s[0]);
  position_ = 0;
}

}  // namespace lazynet::init
