#include "engine/plan/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace lazynet::plan {
namespace {

void ExpectNoOverlap(const std::vector<Lifetime>& lifetimes, const ArenaLayout& layout) {
  for (size_t a = 0; a < lifetimes.size(); ++a) {
    EXPECT_EQ(layout.offsets[a] % 64, 0u);
    EXPECT_LE(layout.offsets[a] + lifetimes[a].bytes, layout.bytes);
    for (size_t b = 0; b < a; ++b) {
      const bool together =
          lifetimes[a].first <= lifetimes[b].last && lifetimes[b].first <= lifetimes[a].last;
      const bool apart = layout.offsets[a] + lifetimes[a].bytes <= layout.offsets[b] ||
                         layout.offsets[b] + lifetimes[b].bytes <= layout.offsets[a];
      EXPECT_TRUE(!together || apart || lifetimes[a].bytes == 0 || lifetimes[b].bytes == 0);
    }
  }
}

TEST(Arena, PiecesOfDifferentTimesShareTheirMemory) {
  const std::vector<Lifetime> lifetimes{{100, 0, 1}, {100, 1, 2}, {100, 2, 3}};
  const ArenaLayout layout = PlaceInArena(lifetimes);
  EXPECT_EQ(layout.bytes, 256u);
  ExpectNoOverlap(lifetimes, layout);
}

TEST(Arena, NothingOverlapsWhateverTheLifetimes) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<Lifetime> lifetimes;
    size_t sum = 0;
    for (int i = 0; i < 40; ++i) {
      const int first = static_cast<int>(random() % 30);
      lifetimes.push_back({random() % 1000, first, first + static_cast<int>(random() % 6)});
      sum += (lifetimes.back().bytes + 63) / 64 * 64;
    }
    const ArenaLayout layout = PlaceInArena(lifetimes);
    EXPECT_LE(layout.bytes, sum);
    ExpectNoOverlap(lifetimes, layout);
  }
}

TEST(Arena, MayBeEmpty) { EXPECT_EQ(PlaceInArena({}).bytes, 0u); }

}  // namespace
}  // namespace lazynet::plan
