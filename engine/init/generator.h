#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace lazynet::init {

// The random stream of PyTorch's CPU generator: MT19937 (Matsumoto and Nishimura, 1998; the words
// of std::mt19937), seeded from the low 32 bits of the seed, so that s and s + 2^32 give one stream
// and -1 equals 2^32 - 1. A copy goes on from the same place. Not thread-safe: a stream has one
// order.
class Generator {
 public:
  explicit Generator(uint64_t seed);

  uint32_t Next32();

  // Two words, the first as the high half.
  uint64_t Next64();

  // The next dst.size() words.
  void Fill(std::span<uint32_t> dst);

  // Goes on as if `words` words had been drawn.
  void Discard(uint64_t words);

  // Words drawn or discarded since seeding.
  uint64_t words() const { return words_; }

  // Normal() below 16 elements makes values in pairs and leaves the second of an odd last pair
  // here, for the next such draw, whatever was drawn in between.
  void CacheNormal(double value) { cached_normal_ = value; }
  std::optional<double> TakeCachedNormal();

 private:
  static constexpr size_t kBlockWords = 624;

  void NextBlock();

  std::array<uint32_t, kBlockWords> state_;
  size_t position_ = kBlockWords;  // of the next word in state_
  uint64_t words_ = 0;
  std::optional<double> cached_normal_;
};

}  // namespace lazynet::init
