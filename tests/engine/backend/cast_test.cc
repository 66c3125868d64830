#include <cmath>
#include <limits>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

using testing::ValuesOf;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class CastTest : public OpTest {
 protected:
  // Casts elements of `from`, as the request's and as a constant's, and expects these of `to`; NaN
  // wants NaN.
  template <typename Src, typename Dst>
  void ExpectCast(DType from, const std::vector<Src>& src, DType to, const std::vector<Dst>& want) {
    SCOPED_TRACE(std::string(Name(from)) + " to " + std::string(Name(to)));
    const Shape shape = {static_cast<int64_t>(src.size())};
    const Tensor tensor = ValuesOf(from, shape, src);
    for (const OpInput& input : {Source(tensor), Constant(tensor)}) {
      const auto result = testing::RunOp(backend(), Cast{}, {input}, shape, to);
      ASSERT_TRUE(result.ok()) << result.status();
      ASSERT_EQ(result->dst.dtype(), to);
      const auto* got = reinterpret_cast<const Dst*>(result->dst.data());
      for (size_t i = 0; i < want.size(); ++i) {
        if (std::isnan(static_cast<double>(want[i]))) {
          EXPECT_TRUE(std::isnan(static_cast<double>(got[i]))) << i;
        } else {
          EXPECT_EQ(got[i], want[i]) << i;
        }
      }
    }
  }
};

TEST_P(CastTest, HalvesAreExactInWiderTypes) {
  const std::vector<uint16_t> halves = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x7e00, 0x8000};
  const std::vector<float> floats = {1, -2, 0x1p-24f, 65504, kInfinity, kNan, 0};
  ExpectCast(DType::kFp16, halves, DType::kFp32, floats);
  ExpectCast(DType::kFp16, halves, DType::kFp64, std::vector<double>(floats.begin(), floats.end()));
}

TEST_P(CastTest, Bfloat16sAreExactInWiderTypes) {
  const std::vector<uint16_t> bits = {0x3f80, 0xc000, 0x0001, 0xff80, 0x7fc0};
  const std::vector<float> floats = {1, -2, 0x1p-133f, -kInfinity, kNan};
  ExpectCast(DType::kBf16, bits, DType::kFp32, floats);
  ExpectCast(DType::kBf16, bits, DType::kFp64, std::vector<double>(floats.begin(), floats.end()));
}

TEST_P(CastTest, RoundsToTheNearestEven) {
  // The ties lie between 1 and 1 + 2^-10, and between that and 1 + 2^-9.
  ExpectCast<float, uint16_t>(
      DType::kFp32,
      {1 + 0x1p-11f, 1 + 0x3p-11f, 1 + 0x1.002p-11f, 65519, 65520, -kInfinity, 0x1p-25f},
      DType::kFp16, {0x3c00, 0x3c02, 0x3c01, 0x7bff, 0x7c00, 0xfc00, 0x0000});
  ExpectCast<float, uint16_t>(DType::kFp32, {1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1.002p-8f, 3.4e38f},
                              DType::kBf16, {0x3f80, 0x3f82, 0x3f81, 0x7f80});
  ExpectCast<double, float>(DType::kFp64, {1 + 0x1p-24, 1 + 0x3p-24, 1e39, -1e39, 1e-60, kNan},
                            DType::kFp32, {1, 1 + 0x1p-22f, kInfinity, -kInfinity, 0, kNan});
  ExpectCast<uint16_t, uint16_t>(DType::kFp16, {0x3c01, 0x3c04, 0x3c0c, 0x7c00}, DType::kBf16,
                                 {0x3f80, 0x3f80, 0x3f82, 0x7f80});
}

// A float in between would make ties of them, and round again.
TEST_P(CastTest, RoundsDoublesOnce) {
  const std::vector<double> doubles = {1 + 0x1p-11 + 0x1p-40, -1 - 0x3p-11 + 0x1p-40, 1e300,
                                       -1e-300};
  ExpectCast<double, uint16_t>(DType::kFp64, doubles, DType::kFp16,
                               {0x3c01, 0xbc01, 0x7c00, 0x8000});
  ExpectCast<double, uint16_t>(DType::kFp64, {1 + 0x1p-8 + 0x1p-40, -1 - 0x3p-8 + 0x1p-40},
                               DType::kBf16, {0x3f81, 0xbf81});
}

TEST_P(CastTest, NanOfHalvesStaysNan) {
  for (const DType to : {DType::kFp16, DType::kBf16}) {
    const Tensor nan = Values({1}, {kNan});
    const auto narrow = testing::RunOp(backend(), Cast{}, {Source(nan)}, {1}, to);
    ASSERT_TRUE(narrow.ok()) << narrow.status();
    const auto wide = testing::RunOp(backend(), Cast{}, {Source(narrow->dst)}, {1}, DType::kFp32);
    ASSERT_TRUE(wide.ok()) << wide.status();
    EXPECT_TRUE(std::isnan(wide->dst.values<float>()[0]));
  }
}

TEST_P(CastTest, IntegersBecomeFloats) {
  ExpectCast<int32_t, float>(DType::kInt32, {0, -7, (1 << 24) + 1, 2147483647}, DType::kFp32,
                             {0, -7, 0x1p24f, 0x1p31f});
  ExpectCast<int64_t, double>(DType::kInt64, {-1, int64_t{1} << 40, (int64_t{1} << 53) + 1},
                              DType::kFp64, {-1, 0x1p40, 0x1p53});
  ExpectCast<int64_t, float>(DType::kInt64, {3, -(int64_t{1} << 62)}, DType::kFp32, {3, -0x1p62f});
  ExpectCast<uint8_t, float>(DType::kUint8, {0, 128, 255}, DType::kFp32, {0, 128, 255});
  ExpectCast<uint8_t, double>(DType::kBool, {0, 1, 1}, DType::kFp64, {0, 1, 1});
}

TEST_P(CastTest, BetweenEqualTypesCopies) {
  ExpectCast<float, float>(DType::kFp32, {1.5f, kNan, -kInfinity}, DType::kFp32,
                           {1.5f, kNan, -kInfinity});
  ExpectCast<uint16_t, uint16_t>(DType::kFp16, {0x0001, 0x7bff}, DType::kFp16, {0x0001, 0x7bff});
}

TEST_P(CastTest, FloatsLoseTheirFraction) {
  const std::vector<float> floats = {-1.9f, -0.5f, 0, 1.5f, 127.9f};
  ExpectCast<float, int8_t>(DType::kFp32, floats, DType::kInt8, {-1, 0, 0, 1, 127});
  ExpectCast<float, int32_t>(DType::kFp32, floats, DType::kInt32, {-1, 0, 0, 1, 127});
  ExpectCast<float, int64_t>(DType::kFp32, floats, DType::kInt64, {-1, 0, 0, 1, 127});
  ExpectCast<double, int64_t>(DType::kFp64, {-0x1p62 - 1024, 0x1.8p52}, DType::kInt64,
                              {-(int64_t{1} << 62) - 1024, int64_t{3} << 51});
  ExpectCast<uint16_t, int16_t>(DType::kFp16, {0xbe00, 0x7bff}, DType::kInt16, {-1, -32});
}

// As PyTorch on x86.
TEST_P(CastTest, FloatsThatNoIntegerHolds) {
  const std::vector<float> floats = {300.7f, -1.2f, kNan, kInfinity, 3e9f, 1e19f};
  constexpr auto kLeast32 = std::numeric_limits<int32_t>::min();
  constexpr auto kLeast64 = std::numeric_limits<int64_t>::min();
  ExpectCast<float, uint8_t>(DType::kFp32, floats, DType::kUint8, {44, 255, 0, 0, 0, 0});
  ExpectCast<float, int16_t>(DType::kFp32, floats, DType::kInt16, {300, -1, 0, 0, 0, 0});
  ExpectCast<float, int32_t>(DType::kFp32, floats, DType::kInt32,
                             {300, -1, kLeast32, kLeast32, kLeast32, kLeast32});
  ExpectCast<float, int64_t>(DType::kFp32, floats, DType::kInt64,
                             {300, -1, kLeast64, kLeast64, 3000000000, kLeast64});
}

TEST_P(CastTest, IntegersWrap) {
  const std::vector<int64_t> integers = {300, -1, (int64_t{1} << 40) + 5};
  ExpectCast<int64_t, int8_t>(DType::kInt64, integers, DType::kInt8, {44, -1, 5});
  ExpectCast<int64_t, uint8_t>(DType::kInt64, integers, DType::kUint8, {44, 255, 5});
  ExpectCast<int64_t, int32_t>(DType::kInt64, integers, DType::kInt32, {300, -1, 5});
  ExpectCast<int8_t, uint64_t>(DType::kInt8, {-1, 7}, DType::kUint64, {~uint64_t{0}, 7});
  ExpectCast<uint8_t, int64_t>(DType::kUint8, {200, 0}, DType::kInt64, {200, 0});
}

TEST_P(CastTest, IntegersBecomeHalvesByWayOfFloats) {
  ExpectCast<int64_t, uint16_t>(DType::kInt64, {1, -2, 65504, 65520}, DType::kFp16,
                                {0x3c00, 0xc000, 0x7bff, 0x7c00});
  ExpectCast<int32_t, uint16_t>(DType::kInt32, {1, (1 << 24) + 1}, DType::kBf16, {0x3f80, 0x4b80});
}

TEST_P(CastTest, BoolsAreWhatIsNotZero) {
  ExpectCast<float, uint8_t>(DType::kFp32, {kNan, 0, -0.0f, 0.1f, -3}, DType::kBool,
                             {1, 0, 0, 1, 1});
  ExpectCast<double, uint8_t>(DType::kFp64, {1e-300, 0}, DType::kBool, {1, 0});
  ExpectCast<int64_t, uint8_t>(DType::kInt64, {int64_t{1} << 40, 0, -1}, DType::kBool, {1, 0, 1});
  ExpectCast<uint16_t, uint8_t>(DType::kFp16, {0x8000, 0x0001}, DType::kBool, {0, 1});
  ExpectCast<uint8_t, int64_t>(DType::kBool, {0, 1, 2}, DType::kInt64, {0, 1, 1});
  ExpectCast<uint8_t, uint16_t>(DType::kBool, {0, 1}, DType::kFp16, {0, 0x3c00});
}

INSTANTIATE_TEST_SUITE_P(Backends, CastTest, ::testing::ValuesIn(Backends()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lazynet::backend
