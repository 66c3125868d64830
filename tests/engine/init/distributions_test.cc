#include "engine/init/distributions.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <vector>

#include "engine/core/float16.h"
#include "engine/init/initializers.h"

namespace lazynet::init {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;

// T = uint16_t stands for the bits of FP16 or BF16.
template <typename T>
MutableTensorView View(DType dtype, std::span<T> elements) {
  return {dtype, Shape{static_cast<int64_t>(elements.size())},
          reinterpret_cast<std::byte*>(elements.data())};
}

template <typename T>
std::vector<T> DrawUniform(Generator& generator, DType dtype, size_t count, double lo, double hi,
                           FmaPath path = BestFmaPath()) {
  std::vector<T> elements(count);
  Uniform(generator, lo, hi, View<T>(dtype, elements), path);
  return elements;
}

template <typename T>
std::vector<T> DrawNormal(Generator& generator, DType dtype, size_t count, double mean = 0.0,
                          double std = 1.0, FmaPath path = BestFmaPath()) {
  std::vector<T> elements(count);
  Normal(generator, mean, std, View<T>(dtype, elements), path);
  return elements;
}

std::vector<uint32_t> Bits(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

std::vector<uint64_t> Bits(const std::vector<double>& values) {
  std::vector<uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<uint64_t>(value));
  return bits;
}

const std::vector<FmaPath> kPaths = {BestFmaPath(), FmaPath::kPortable};

// The literal bits below are PyTorch 1.13.1's.

TEST(Uniform, GivesTheFirstWeightsOfALinearLayer) {
  for (const FmaPath path : kPaths) {
    Generator generator(0);
    const double bound = KaimingUniformBound(10);
    EXPECT_THAT(Bits(DrawUniform<float>(generator, DType::kFp32, 3, -bound, bound, path)),
                ElementsAre(0xBB1B28BDu, 0x3E2DB5ADu, 0xBE854213u));
    EXPECT_EQ(generator.words(), 3u);
  }
}

TEST(Uniform, GivesUnits) {
  Generator single(42);
  EXPECT_THAT(Bits(DrawUniform<float>(single, DType::kFp32, 4, 0.0, 1.0)),
              ElementsAre(0x3F61DC66u, 0x3F6A3DB3u, 0x3EC406B8u, 0x3F75950Eu));
  Generator wide(42);
  EXPECT_THAT(Bits(DrawUniform<double>(wide, DType::kFp64, 4, 0.0, 1.0)),
              ElementsAre(0x3FADC66CBEA3DB30u, 0x3FB01AE177ACA870u, 0x3FBFA3563CCEA238u,
                          0x3FAAEBC98CB2C140u));
  EXPECT_EQ(wide.words(), 8u);
}

TEST(Uniform, MultipliesAndAddsInOneRounding) {
  for (const FmaPath path : kPaths) {
    Generator generator(42);
    const double bound = KaimingUniformBound(10);
    // Two roundings would give 3e77921e, 3e8662ab and 3e94bb29 for the first, second and last.
    EXPECT_THAT(Bits(DrawUniform<float>(generator, DType::kFp32, 4, -bound, bound, path)),
                ElementsAre(0x3E77921Du, 0x3E8662ACu, 0xBD97B912u, 0x3E94BB28u));
  }
}

TEST(Uniform, Takes11BitsForHalvesAnd8ForBfloat16) {
  Generator words(3);
  Generator half(3);
  for (const uint16_t bits : DrawUniform<uint16_t>(half, DType::kFp16, 100, 0.0, 1.0)) {
    EXPECT_EQ(HalfToFloat(bits), static_cast<float>(words.Next32() % 2048) / 2048.0f);
  }
  Generator brain(3);
  words = Generator(3);
  for (const uint16_t bits : DrawUniform<uint16_t>(brain, DType::kBf16, 100, 0.0, 1.0)) {
    EXPECT_EQ(Bfloat16ToFloat(bits), static_cast<float>(words.Next32() % 256) / 256.0f);
  }
}

TEST(Uniform, RoundsBoundsAndRangeToThe16BitType) {
  // 0.1 and 1.001 are 0x2e66 and 0x3c01 as halves.
  const float lo = HalfToFloat(0x2E66);
  const float range = HalfToFloat(FloatToHalf(HalfToFloat(0x3C01) - lo));
  Generator words(3);
  Generator generator(3);
  for (const uint16_t bits : DrawUniform<uint16_t>(generator, DType::kFp16, 3000, 0.1, 1.001)) {
    const float unit = static_cast<float>(words.Next32() % 2048) / 2048.0f;
    ASSERT_EQ(bits, FloatToHalf(std::fma(unit, range, lo)));
  }
}

TEST(Uniform, MayRoundABfloat16UpToTheBound) {
  Generator generator(0);
  const std::vector<uint16_t> values =
      DrawUniform<uint16_t>(generator, DType::kBf16, 10000, 1.0, 1.5);
  EXPECT_THAT(values, Contains(FloatToBfloat16(1.5f)));
  EXPECT_THAT(values, Each(Le(FloatToBfloat16(1.5f))));
  EXPECT_THAT(values, Each(Ge(FloatToBfloat16(1.0f))));
}

TEST(Uniform, LooksUpLargeTensorsAsItComputesSmallOnes) {
  for (const DType dtype : {DType::kFp16, DType::kBf16}) {
    Generator at_once(5);
    const std::vector<uint16_t> large = DrawUniform<uint16_t>(at_once, dtype, 5000, -0.1, 0.3);
    Generator in_pieces(5);
    for (size_t i = 0; i < large.size(); i += 100) {
      const std::vector<uint16_t> piece = DrawUniform<uint16_t>(in_pieces, dtype, 100, -0.1, 0.3);
      ASSERT_TRUE(std::equal(piece.begin(), piece.end(), large.begin() + static_cast<int>(i)));
    }
  }
}

TEST(Uniform, DrawsForAnEmptyRangeAndNotForAnEmptyTensor) {
  Generator generator(0);
  EXPECT_THAT(DrawUniform<float>(generator, DType::kFp32, 5, 0.0, 0.0), Each(0.0f));
  EXPECT_EQ(generator.words(), 5u);
  for (const DType dtype : {DType::kFp32, DType::kFp64, DType::kFp16, DType::kBf16}) {
    Uniform(generator, 0.0, 1.0, {dtype, Shape{0, 4}, nullptr});
    Normal(generator, 0.0, 1.0, {dtype, Shape{0, 4}, nullptr});
  }
  EXPECT_EQ(generator.words(), 5u);
}

TEST(Normal, MakesFewElementsInPairs) {
  Generator generator(42);
  EXPECT_THAT(Bits(DrawNormal<float>(generator, DType::kFp32, 15)),
              ElementsAre(0x3EAC62AEu, 0x3E03E69Du, 0x3E7016E7u, 0x3E6BDC6Cu, 0xBF8FB9C2u,
                          0xBE3ECCD8u, 0x400D532Cu, 0xBF2353C6u, 0x3EEC5E56u, 0x3E88E237u,
                          0x3F08EF83u, 0x3F4F3209u, 0x3F8E1DFEu, 0xBFD84B55u, 0xBF7D2C7Au));
  EXPECT_EQ(generator.words(), 32u);
}

TEST(Normal, MakesManyElementsInBlocksOf16) {
  for (const FmaPath path : kPaths) {
    Generator generator(42);
    EXPECT_THAT(
        Bits(DrawNormal<float>(generator, DType::kFp32, 16, 0.0, 1.0, path)),
        ElementsAre(0x3FF6A529u, 0x3FBE5F53u, 0x3F669567u, 0xC006C0DBu, 0x3F2DACD5u, 0xBF9E0591u,
                    0xBD306786u, 0xBFCD65BAu, 0xBF408BF0u, 0x3FD3095Bu, 0xBEC8F2F6u, 0xBFB3A966u,
                    0xBF3A566Eu, 0xBF0F36D1u, 0xBF44D2A0u, 0x3F432F9Fu));
    EXPECT_EQ(generator.words(), 16u);
  }
}

TEST(Normal, DrawsTheLast16ElementsAnew) {
  for (const FmaPath path : kPaths) {
    Generator generator(42);
    EXPECT_THAT(
        Bits(DrawNormal<float>(generator, DType::kFp32, 17, 0.0, 1.0, path)),
        ElementsAre(0x3FF6A529u, 0xBE236D85u, 0xBEFEAAE4u, 0x3EE111D8u, 0xBF4214E2u, 0x3F8A0650u,
                    0x3F4D0144u, 0x3FD71E93u, 0x3EB63345u, 0x3FA5F12Fu, 0x3F1C4788u, 0x3FAAD8B0u,
                    0xBE6D2EEDu, 0x3D2B0C00u, 0xBE80CE7Au, 0x3F5C1FB0u, 0xBE9E9482u));
    EXPECT_EQ(generator.words(), 33u);
  }
  Generator wide(42);
  const std::vector<uint64_t> bits = Bits(DrawNormal<double>(wide, DType::kFp64, 17));
  EXPECT_EQ(bits.front(), 0x3FD32BEE22CCB503u);
  EXPECT_EQ(bits.back(), 0x3FCFECBA7D412DB7u);
  EXPECT_EQ(wide.words(), 66u);
}

TEST(Normal, KeepsTheSecondOfAPairForTheNextSmallTensor) {
  Generator whole(9);
  const std::vector<double> pair = DrawNormal<double>(whole, DType::kFp64, 2);

  Generator generator(9);
  EXPECT_EQ(DrawNormal<double>(generator, DType::kFp64, 1).front(), pair[0]);
  EXPECT_EQ(generator.words(), 4u);
  DrawUniform<float>(generator, DType::kFp32, 7, 0.0, 1.0);
  DrawNormal<float>(generator, DType::kFp32, 16);  // neither uses nor drops what waits
  EXPECT_EQ(DrawNormal<float>(generator, DType::kFp32, 1, 0.5, 2.0).front(),
            static_cast<float>(std::fma(pair[1], 2.0, 0.5)));
  EXPECT_EQ(generator.words(), 4u + 7u + 16u);
}

TEST(Normal, StaysWithinTheLongestTailOfEachType) {
  // 24 bits of unit give radii of at most sqrt(48 ln 2), 11 bits sqrt(22 ln 2), 8 bits sqrt(16 ln
  // 2).
  Generator generator(1);
  for (const float value : DrawNormal<float>(generator, DType::kFp32, 1 << 20)) {
    ASSERT_LE(std::abs(value), 5.77f);
  }
  for (const uint16_t bits : DrawNormal<uint16_t>(generator, DType::kFp16, 1 << 16)) {
    ASSERT_LE(std::abs(HalfToFloat(bits)), 3.91f);
  }
  for (const uint16_t bits : DrawNormal<uint16_t>(generator, DType::kBf16, 1 << 16)) {
    ASSERT_LE(std::abs(Bfloat16ToFloat(bits)), 3.34f);
  }
}

TEST(Distributions, GiveTheSameBitsWithAndWithoutTheInstruction) {
  for (const size_t count : {1, 15, 16, 17, 1023, 1024, 1025, 50001}) {
    Generator best(count);
    Generator portable(count);
    EXPECT_EQ(
        Bits(DrawUniform<float>(best, DType::kFp32, count, -0.1, 0.3)),
        Bits(DrawUniform<float>(portable, DType::kFp32, count, -0.1, 0.3, FmaPath::kPortable)));
    EXPECT_EQ(
        Bits(DrawUniform<double>(best, DType::kFp64, count, -0.1, 0.3)),
        Bits(DrawUniform<double>(portable, DType::kFp64, count, -0.1, 0.3, FmaPath::kPortable)));
    EXPECT_EQ(Bits(DrawNormal<float>(best, DType::kFp32, count, 0.3, 1.7)),
              Bits(DrawNormal<float>(portable, DType::kFp32, count, 0.3, 1.7, FmaPath::kPortable)));
    EXPECT_EQ(best.words(), portable.words());
  }
}

TEST(Distributions, AreForFloatingTypes) {
  Generator generator(0);
  std::vector<int32_t> elements(4);
  EXPECT_DEATH(Uniform(generator, 0.0, 1.0, View<int32_t>(DType::kInt32, elements)), "IsFloating");
  EXPECT_DEATH(Normal(generator, 0.0, 1.0, View<int32_t>(DType::kInt32, elements)), "IsFloating");
}

}  // namespace
}  // namespace lazynet::init
