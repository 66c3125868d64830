#include "engine/core/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/core/float16.h"

namespace lazynet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr DType kAll[] = {DType::kBool,   DType::kUint8, DType::kUint16, DType::kUint32,
                          DType::kUint64, DType::kInt8,  DType::kInt16,  DType::kInt32,
                          DType::kInt64,  DType::kFp16,  DType::kBf16,   DType::kFp32,
                          DType::kFp64};

template <typename T>
Tensor TensorOf(DType dtype, const std::vector<T>& values) {
  Tensor tensor = *Tensor::Allocate(dtype, Shape{static_cast<int64_t>(values.size())});
  for (size_t i = 0; i < values.size(); ++i) {
    const T value = values[i];
    std::memcpy(tensor.mutable_view().data + i * sizeof(T), &value, sizeof(T));
  }
  return tensor;
}

template <typename T>
std::vector<T> ValuesOf(const Tensor& tensor) {
  std::vector<T> values(tensor.bytes() / sizeof(T));
  std::memcpy(values.data(), tensor.data(), tensor.bytes());
  return values;
}

struct Result {
  Tensor tensor;
  bool exact = false;
};

template <typename T>
Result To(DType to, DType from, const std::vector<T>& values) {
  Result result;
  result.tensor = *Converted(TensorOf(from, values), to, &result.exact);
  return result;
}

TEST(Convert, SmallNumbersSurviveEveryPairOfTypes) {
  const Tensor source = TensorOf<uint8_t>(DType::kUint8, {0, 1, 1, 0});
  for (const DType from : kAll) {
    const Tensor tensor = *Converted(source, from);
    for (const DType to : kAll) {
      bool exact = false;
      const Tensor there = *Converted(tensor, to, &exact);
      EXPECT_TRUE(exact) << Name(from) << " to " << Name(to);
      EXPECT_EQ(ValuesOf<uint8_t>(*Converted(there, DType::kUint8)),
                (std::vector<uint8_t>{0, 1, 1, 0}))
          << Name(from) << " to " << Name(to);
    }
  }
}

TEST(Convert, FloatingTypesRoundToNearestEven) {
  const Result narrow = To<double>(DType::kFp32, DType::kFp64, {0.1, 1 + 0x1p-24, 1 + 0x3p-24});
  EXPECT_EQ(ValuesOf<float>(narrow.tensor), (std::vector<float>{0.1f, 1.0f, 1 + 0x1p-22f}));
  EXPECT_FALSE(narrow.exact);
  const Result half = To<float>(DType::kFp16, DType::kFp32, {1 + 0x1p-11f, 65519.0f, -65520.0f});
  EXPECT_EQ(ValuesOf<uint16_t>(half.tensor), (std::vector<uint16_t>{0x3C00, 0x7BFF, 0xFC00}));
  EXPECT_FALSE(half.exact);
  EXPECT_TRUE(To<float>(DType::kBf16, DType::kFp32, {-1.5f, 0x1p100f}).exact);
}

// 1 + 2^-11 + 2^-40 lies above the tie, but is the tie itself in FP32.
TEST(Convert, SixteenBitsComeByWayOfFp32) {
  const Result half = To<double>(DType::kFp16, DType::kFp64, {1 + 0x1p-11 + 0x1p-40});
  EXPECT_EQ(ValuesOf<uint16_t>(half.tensor), (std::vector<uint16_t>{0x3C00}));
}

TEST(Convert, NanAndInfinityAreKeptAmongFloatingTypes) {
  for (const DType to : {DType::kFp16, DType::kBf16, DType::kFp32}) {
    const Result there = To<double>(to, DType::kFp64, {std::nan(""), kInfinity, -kInfinity, -0.0});
    EXPECT_TRUE(there.exact) << Name(to);
    const auto back = ValuesOf<double>(*Converted(there.tensor, DType::kFp64));
    EXPECT_TRUE(std::isnan(back[0]));
    EXPECT_EQ(back[1], kInfinity);
    EXPECT_EQ(back[2], -kInfinity);
    EXPECT_TRUE(std::signbit(back[3]));
  }
}

TEST(Convert, IntegersTruncateAndWhatTheyCannotHoldIs0) {
  const Result small = To<double>(DType::kInt8, DType::kFp64,
                                  {1.9, -1.9, 127.5, 128, -128, -129, std::nan(""), kInfinity});
  EXPECT_EQ(ValuesOf<int8_t>(small.tensor), (std::vector<int8_t>{1, -1, 127, 0, -128, 0, 0, 0}));
  EXPECT_FALSE(small.exact);
  const Result large =
      To<double>(DType::kInt64, DType::kFp64, {0x1p63, -0x1p63, 0x1p62, std::nextafter(0x1p63, 0)});
  EXPECT_EQ(ValuesOf<int64_t>(large.tensor),
            (std::vector<int64_t>{0, std::numeric_limits<int64_t>::min(), int64_t{1} << 62,
                                  std::numeric_limits<int64_t>::max() - 1023}));
  const Result unsigned_ones = To<int32_t>(DType::kUint16, DType::kInt32, {-1, 65535, 65536});
  EXPECT_EQ(ValuesOf<uint16_t>(unsigned_ones.tensor), (std::vector<uint16_t>{0, 65535, 0}));
}

TEST(Convert, TellsWhetherEveryElementKeptItsValue) {
  EXPECT_TRUE(To<double>(DType::kInt32, DType::kFp64, {3, -7, 0}).exact);
  EXPECT_FALSE(To<double>(DType::kInt32, DType::kFp64, {3, 0.5}).exact);
  EXPECT_FALSE(To<double>(DType::kInt32, DType::kFp64, {std::nan("")}).exact);
  EXPECT_TRUE(To<int64_t>(DType::kFp64, DType::kInt64, {int64_t{1} << 53}).exact);
  EXPECT_FALSE(To<int64_t>(DType::kFp64, DType::kInt64, {(int64_t{1} << 53) + 1}).exact);
  // Rounds to 2^63, which INT64 lacks.
  EXPECT_FALSE(
      To<int64_t>(DType::kFp32, DType::kInt64, {std::numeric_limits<int64_t>::max()}).exact);
  EXPECT_FALSE(To<uint64_t>(DType::kInt64, DType::kUint64, {~uint64_t{0}}).exact);
  EXPECT_FALSE(To<int32_t>(DType::kBool, DType::kInt32, {2}).exact);
}

TEST(Convert, BoolIsWhetherAnElementIsNot0) {
  const Result result =
      To<float>(DType::kBool, DType::kFp32, {0.0f, -0.0f, 0.5f, std::nanf(""), 1.0f});
  EXPECT_EQ(ValuesOf<uint8_t>(result.tensor), (std::vector<uint8_t>{0, 0, 1, 1, 1}));
}

TEST(Convert, ATensorOfTheTypeIsItself) {
  const Tensor tensor = TensorOf<float>(DType::kFp32, {1.0f});
  bool exact = false;
  EXPECT_EQ(Converted(tensor, DType::kFp32, &exact)->data(), tensor.data());
  EXPECT_TRUE(exact);
}

TEST(Convert, NothingIsFine) {
  bool exact = false;
  const auto empty = Converted(*Tensor::Allocate(DType::kFp32, Shape{2, 0}), DType::kInt8, &exact);
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->shape(), (Shape{2, 0}));
  EXPECT_TRUE(exact);
}

}  // namespace
}  // namespace lazynet
