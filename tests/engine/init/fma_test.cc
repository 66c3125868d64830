#include "engine/init/fma.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/init/generator.h"

namespace lazynet::init {
namespace {

void ExpectRoundedOnce(float a, float b, float c) {
  ASSERT_EQ(std::bit_cast<uint32_t>(PortableFma(a, b, c)),
            std::bit_cast<uint32_t>(std::fma(a, b, c)))
      << std::hexfloat << a << " * " << b << " + " << c;
}

TEST(PortableFma, RoundsOnceAtTheEdges) {
  constexpr float kSmallest = std::numeric_limits<float>::denorm_min();
  constexpr float kLargest = std::numeric_limits<float>::max();
  const std::array<float, 14> values = {0.0f,
                                        -0.0f,
                                        1.0f,
                                        -1.0f,
                                        1.0f + 0x1p-23f,
                                        1.0f - 0x1p-24f,
                                        0x1p-24f,
                                        -0x1.000002p-25f,
                                        kSmallest,
                                        -kSmallest,
                                        std::numeric_limits<float>::min(),
                                        0x1.fffffep-127f,
                                        kLargest,
                                        -kLargest};
  for (const float a : values) {
    for (const float b : values) {
      for (const float c : values) ExpectRoundedOnce(a, b, c);
    }
  }
}

TEST(PortableFma, RoundsOnceWhereTwoRoundingsWouldNot) {
  // a * b = 2^-24 - 2^-70: next to c it falls 2^-70 short of half an ulp, which a double cannot
  // hold. Rounded to double first, both sums would be ties and go to the even neighbour of c.
  const float a = (1.0f + 0x1p-23f) * 0x1p-12f;
  const float b = (1.0f - 0x1p-23f) * 0x1p-12f;
  const float c = 1.0f + 0x1p-23f;
  EXPECT_EQ(PortableFma(a, b, c), c);
  EXPECT_EQ(PortableFma(-a, b, c), c);
  EXPECT_EQ(PortableFma(a, b, -c), -c);
  EXPECT_EQ(PortableFma(-a, b, -c), -c);
  EXPECT_NE(static_cast<float>(double{a} * double{b} + double{c}), c);
}

TEST(PortableFma, RoundsOnceForRandomArguments) {
  Generator generator(1);
  const auto next = [&] {
    const uint32_t exponent = 127 - 40 + generator.Next32() % 60;
    return std::bit_cast<float>((generator.Next32() & 0x807FFFFFu) | (exponent << 23));
  };
  for (int i = 0; i < 300000; ++i) {
    const float a = next();
    const float b = next();
    const float c = next();
    ExpectRoundedOnce(a, b, c);
    // The same with half an ulp of c for a * b, but for 2^-46 of it.
    const float power = std::bit_cast<float>(std::bit_cast<uint32_t>(c) & 0xFF800000u);
    ExpectRoundedOnce(power * (0x1p-24f + 0x1p-47f), 1.0f - 0x1p-23f, c);
  }
}

}  // namespace
}  // namespace lazynet::init
