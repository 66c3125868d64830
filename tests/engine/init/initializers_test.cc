#include "engine/init/initializers.h"

#include <gmock/gmock.h>

#include <vector>

namespace lazynet::init {
namespace {

using ::testing::Each;

TEST(FanIn, MultipliesTheInputsAndTheKernel) {
  EXPECT_EQ(FanIn(Shape{7, 10}), 10);
  EXPECT_EQ(FanIn(Shape{8, 3, 5, 2}), 30);
  EXPECT_EQ(FanIn(Shape{8, 1, 3, 3, 3}), 27);
  EXPECT_EQ(FanIn(Shape{8, 0}), 0);
}

// math.sqrt(3) * (math.sqrt(2 / (1 + math.sqrt(5) ** 2)) / math.sqrt(fan_in)) in Python.
TEST(Bounds, HaveTheLastBitsOfPyTorch) {
  EXPECT_EQ(KaimingUniformBound(1), 0x1.fffffffffffffp-1);
  EXPECT_EQ(KaimingUniformBound(3), 0x1.279a74590331cp-1);
  EXPECT_EQ(KaimingUniformBound(10), 0x1.43d136248490ep-2);
  EXPECT_EQ(KaimingUniformBound(27), 0x1.8a2345cc04425p-3);
  EXPECT_EQ(KaimingUniformBound(784), 0x1.2492492492492p-5);
  EXPECT_EQ(FanInUniformBound(1), 1.0);
  EXPECT_EQ(FanInUniformBound(3), 0x1.279a74590331dp-1);
  EXPECT_EQ(FanInUniformBound(10), 0x1.43d136248490fp-2);
  EXPECT_EQ(FanInUniformBound(27), 0x1.8a2345cc04426p-3);
  EXPECT_EQ(FanInUniformBound(784), 0x1.2492492492492p-5);
}

TEST(Bounds, AreEqualInSinglePrecision) {
  for (int64_t fan_in = 1; fan_in <= 200000; ++fan_in) {
    ASSERT_EQ(static_cast<float>(KaimingUniformBound(fan_in)),
              static_cast<float>(FanInUniformBound(fan_in)))
        << fan_in;
  }
}

TEST(Bounds, AreZeroWithoutInputs) {
  EXPECT_EQ(KaimingUniformBound(0), 0.0);
  EXPECT_EQ(FanInUniformBound(0), 0.0);
}

template <typename T>
void ExpectFilled(DType dtype, double value, T element) {
  std::vector<T> elements(7, T{99});
  Fill(value, {dtype, Shape{2, 3}, reinterpret_cast<std::byte*>(elements.data())});
  EXPECT_EQ(elements.back(), T{99}) << "past the end of " << Name(dtype);
  elements.pop_back();
  EXPECT_THAT(elements, Each(element)) << Name(dtype);
}

TEST(Fill, WritesEveryDType) {
  for (const double value : {0.0, 1.0, 3.0}) {
    ExpectFilled<uint8_t>(DType::kBool, value, value != 0.0);
    ExpectFilled(DType::kUint8, value, static_cast<uint8_t>(value));
    ExpectFilled(DType::kUint16, value, static_cast<uint16_t>(value));
    ExpectFilled(DType::kUint32, value, static_cast<uint32_t>(value));
    ExpectFilled(DType::kUint64, value, static_cast<uint64_t>(value));
    ExpectFilled(DType::kInt8, value, static_cast<int8_t>(value));
    ExpectFilled(DType::kInt16, value, static_cast<int16_t>(value));
    ExpectFilled(DType::kInt32, value, static_cast<int32_t>(value));
    ExpectFilled(DType::kInt64, value, static_cast<int64_t>(value));
    ExpectFilled(DType::kFp32, value, static_cast<float>(value));
    ExpectFilled(DType::kFp64, value, value);
  }
  ExpectFilled<uint16_t>(DType::kFp16, 1.0, 0x3C00);
  ExpectFilled<uint16_t>(DType::kBf16, 1.0, 0x3F80);
}

TEST(Fill, RoundsAndTruncatesAsPyTorchDoes) {
  ExpectFilled(DType::kFp32, 0.1, 0.1f);
  ExpectFilled<uint16_t>(DType::kFp16, 0.1, 0x2E66);
  ExpectFilled<uint16_t>(DType::kBf16, 0.1, 0x3DCD);
  ExpectFilled<int32_t>(DType::kInt32, -1.75, -1);
}

TEST(Fill, LeavesAnEmptyTensorAlone) { Fill(1.0, {DType::kFp32, Shape{0, 3}, nullptr}); }

// A contract: these values never change.
TEST(LayerSeed, IsWhatItAlwaysWas) {
  EXPECT_EQ(LayerSeed(0, ""), 0x813F0174A2367C13u);
  EXPECT_EQ(LayerSeed(0, "fc1"), 0xB0E587CB65D2ADA7u);
  EXPECT_EQ(LayerSeed(42, "fc1"), 0x0E245D933E91F890u);
  EXPECT_EQ(LayerSeed(0, "layer1.0.conv1"), 0x1EC4828CDA8CC08Eu);
  EXPECT_EQ(LayerSeed(0xFEDCBA9876543210u, "layer1.0.conv1"), 0x7AC9E42A2BEA4828u);
  EXPECT_EQ(LayerSeed(0, "\xC3\xA9"), 0x6A05C31C033379FAu);
}

TEST(LayerSeed, DependsOnEveryBitOfTheSeedAndOnThePath) {
  EXPECT_NE(LayerSeed(0, "fc1"), LayerSeed(uint64_t{1} << 63, "fc1"));
  EXPECT_NE(LayerSeed(0, "fc1"), LayerSeed(0, "fc2"));
  EXPECT_NE(static_cast<uint32_t>(LayerSeed(0, "a.b")), static_cast<uint32_t>(LayerSeed(0, "b.a")));
}

}  // namespace
}  // namespace lazynet::init
