#include "engine/init/generator.h"

#include <gmock/gmock.h>

#include <array>
#include <random>
#include <vector>

namespace lazynet::init {
namespace {

using ::testing::ElementsAre;

std::vector<uint32_t> Draw(Generator& generator, size_t count) {
  std::vector<uint32_t> words(count);
  for (uint32_t& word : words) word = generator.Next32();
  return words;
}

TEST(Generator, DrawsTheWordsOfMt19937) {
  for (const uint32_t seed : {0u, 1u, 42u, 5489u, 0xFFFFFFFFu}) {
    Generator generator(seed);
    std::mt19937 standard(seed);
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(generator.Next32(), standard()) << seed << ' ' << i;
  }
}

TEST(Generator, StartsWithKnownWords) {
  Generator zero(0);
  EXPECT_THAT(Draw(zero, 4), ElementsAre(2357136044u, 2546248239u, 3071714933u, 3626093760u));
  Generator answer(42);
  EXPECT_THAT(Draw(answer, 4), ElementsAre(1608637542u, 3421126067u, 4083286876u, 787846414u));
}

TEST(Generator, UsesTheLow32BitsOfTheSeed) {
  Generator plain(42);
  Generator wrapped((uint64_t{1} << 32) + 42);
  EXPECT_EQ(Draw(plain, 1000), Draw(wrapped, 1000));
  Generator minus_one(static_cast<uint64_t>(int64_t{-1}));
  Generator largest(0xFFFFFFFFu);
  EXPECT_EQ(Draw(minus_one, 1000), Draw(largest, 1000));
  Generator high((uint64_t{1} << 63) + 5);
  Generator five(5);
  EXPECT_EQ(Draw(high, 1000), Draw(five, 1000));
}

TEST(Generator, MakesTheFirstWordTheHighHalf) {
  Generator generator(0);
  EXPECT_EQ(generator.Next64(), (uint64_t{2357136044u} << 32) | 2546248239u);
  EXPECT_EQ(generator.words(), 2u);
}

TEST(Generator, FillsAsItDraws) {
  Generator drawing(7);
  Generator filling(7);
  for (const size_t count : {1, 0, 3, 620, 1, 623, 624, 625, 5000}) {
    std::vector<uint32_t> words(count);
    filling.Fill(words);
    EXPECT_EQ(words, Draw(drawing, count)) << count;
    EXPECT_EQ(filling.words(), drawing.words());
  }
}

TEST(Generator, DiscardsAsItDraws) {
  for (const uint64_t start : {0, 1, 623, 624}) {
    for (const uint64_t count : {0, 1, 623, 624, 625, 1248, 100000}) {
      Generator drawing(7);
      Draw(drawing, start + count);
      Generator discarding(7);
      Draw(discarding, start);
      discarding.Discard(count);
      EXPECT_EQ(discarding.words(), start + count);
      EXPECT_EQ(Draw(discarding, 700), Draw(drawing, 700)) << start << ' ' << count;
    }
  }
}

TEST(Generator, GoesOnFromACopy) {
  Generator generator(7);
  Draw(generator, 100);
  Generator copy = generator;
  EXPECT_EQ(Draw(copy, 1000), Draw(generator, 1000));
}

TEST(Generator, GivesACachedNormalOnce) {
  Generator generator(7);
  EXPECT_EQ(generator.TakeCachedNormal(), std::nullopt);
  generator.CacheNormal(0.5);
  generator.Discard(10);
  EXPECT_EQ(generator.TakeCachedNormal(), 0.5);
  EXPECT_EQ(generator.TakeCachedNormal(), std::nullopt);
}

}  // namespace
}  // namespace lazynet::init
