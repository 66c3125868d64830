#include <limits>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Pooling Max(AxisVector kernel, AxisVector strides, AxisVector padding, AxisVector dilations) {
  return {.kind = Pooling::Kind::kMax,
          .kernel = std::move(kernel),
          .strides = std::move(strides),
          .dilations = std::move(dilations),
          .padding = std::move(padding),
          .divisor_override = std::nullopt};
}

Pooling Max(int64_t kernel, int64_t stride, int64_t padding = 0, int64_t dilation = 1) {
  return Max(AxisVector{kernel}, AxisVector{stride}, AxisVector{padding}, AxisVector{dilation});
}

Pooling Average(AxisVector kernel, AxisVector strides, AxisVector padding,
                bool count_include_pad = true) {
  const AxisVector dilations(kernel.size(), 1);
  return {.kind = Pooling::Kind::kAverage,
          .kernel = std::move(kernel),
          .strides = std::move(strides),
          .dilations = dilations,
          .padding = std::move(padding),
          .count_include_pad = count_include_pad,
          .divisor_override = std::nullopt};
}

Tensor Digits() { return Values({1, 1, 5}, {3, 1, 4, 1, 5}); }

TEST_P(OpTest, MaxPooling) {
  Expect(Max(2, 2), {Source(Digits())}, {1, 1, 2}, {3, 4}, Compare::kEqual);
  Expect(Max(3, 1), {Source(Digits())}, {1, 1, 3}, {4, 4, 5}, Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingWithAWindowThatSticksOut) {
  Expect(Max(2, 2), {Source(Digits())}, {1, 1, 3}, {3, 4, 5}, Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingTakesPaddingForMinusInfinity) {
  Expect(Max(3, 2, 1), {Source(Digits())}, {1, 1, 3}, {3, 4, 5}, Compare::kEqual);
  Expect(Max(3, 1, 1), {Source(Values({1, 1, 2}, {-3, -1}))}, {1, 1, 2}, {-1, -1}, Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingWithDilation) {
  Expect(Max(2, 1, 0, 2), {Source(Digits())}, {1, 1, 3}, {4, 1, 5}, Compare::kEqual);
  Expect(Max(2, 1, 1, 3), {Source(Digits())}, {1, 1, 4}, {4, 3, 5, 4}, Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingOfNothingButMinusInfinity) {
  Expect(Max(2, 2), {Source(Values({1, 1, 4}, {-kInfinity, -kInfinity, -kInfinity, -1}))},
         {1, 1, 2}, {-kInfinity, -1}, Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingLetsNanWin) {
  Expect(Max(2, 1), {Source(Values({1, 1, 5}, {1, kNan, kInfinity, 2, -kInfinity}))}, {1, 1, 4},
         {kNan, kNan, kInfinity, 2}, Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingOfTwoAxes) {
  Expect(Max({2, 1}, {1, 3}, {0, 0}, {1, 1}), {Source(Count({1, 1, 2, 4}, 1))}, {1, 1, 1, 2},
         {5, 8}, Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingOfThreeAxes) {
  const OpInput src = Source(Count({1, 1, 2, 2, 2}, 1));
  Expect(Max({2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}), {src}, {1, 1, 1, 1, 1}, {8},
         Compare::kEqual);
  Expect(Max({1, 2, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}), {src}, {1, 1, 2, 1, 2}, {3, 4, 7, 8},
         Compare::kEqual);
}

TEST_P(OpTest, MaxPoolingOfAnOddBatchAndChannels) {
  Expect(Max(2, 2), {Source(Count({3, 2, 2}))}, {3, 2, 1}, {1, 3, 5, 7, 9, 11}, Compare::kEqual);
}

TEST_P(OpTest, AveragePooling) {
  Expect(Average({2}, {2}, {0}), {Source(Count({1, 1, 5}, 2, 2))}, {1, 1, 2}, {3, 7});
}

TEST_P(OpTest, AveragePoolingWithAWindowThatSticksOut) {
  Expect(Average({2}, {2}, {0}), {Source(Count({1, 1, 5}, 2, 2))}, {1, 1, 3}, {3, 7, 10});
  Expect(Average({2}, {2}, {0}, false), {Source(Count({1, 1, 5}, 2, 2))}, {1, 1, 3}, {3, 7, 10});
}

TEST_P(OpTest, AveragePoolingCountsPaddingOrNot) {
  Expect(Average({3}, {2}, {1}, true), {Source(Count({1, 1, 5}, 2, 2))}, {1, 1, 3}, {2, 6, 6});
  Expect(Average({3}, {2}, {1}, false), {Source(Count({1, 1, 5}, 2, 2))}, {1, 1, 3}, {3, 6, 9});
}

TEST_P(OpTest, AveragePoolingThatSticksOutOfThePaddingCountsOnlyThePadding) {
  const OpInput src = Source(Count({1, 1, 6}, 2, 2));
  Expect(Average({3}, {2}, {1}, true), {src}, {1, 1, 4}, {2, 6, 10, 6});
  Expect(Average({3}, {2}, {1}, false), {src}, {1, 1, 4}, {3, 6, 10, 12});
}

TEST_P(OpTest, AveragePoolingOfTwoAxes) {
  const OpInput src = Source(Count({1, 1, 2, 2}, 9, 9));
  Expect(Average({3, 3}, {1, 1}, {1, 1}, true), {src}, {1, 1, 2, 2}, {10, 10, 10, 10});
  Expect(Average({3, 3}, {1, 1}, {1, 1}, false), {src}, {1, 1, 2, 2}, {22.5, 22.5, 22.5, 22.5});
}

TEST_P(OpTest, AveragePoolingOfThreeAxes) {
  Expect(Average({2, 2, 2}, {1, 1, 1}, {0, 0, 0}), {Source(Count({1, 1, 2, 2, 2}, 1))},
         {1, 1, 1, 1, 1}, {4.5});
}

TEST_P(OpTest, AveragePoolingWithADivisor) {
  const OpInput src = Source(Count({1, 1, 2, 2}, 2, 2));
  Pooling op = Average({2, 2}, {1, 1}, {0, 0});
  op.divisor_override = 5;
  Expect(op, {src}, {1, 1, 1, 1}, {4});
  for (const bool count_include_pad : {true, false}) {
    op = Average({2, 2}, {2, 2}, {1, 1}, count_include_pad);
    op.divisor_override = 2;
    Expect(op, {src}, {1, 1, 2, 2}, {1, 2, 3, 4});
  }
}

TEST_P(OpTest, AdaptivePoolingWithOverlappingBins) {
  Expect(AdaptiveAveragePooling{}, {Source(Count({1, 1, 7}, 1))}, {1, 1, 3}, {2, 4, 6});
}

TEST_P(OpTest, AdaptivePoolingToMoreThanThereIs) {
  Expect(AdaptiveAveragePooling{}, {Source(Values({1, 1, 3}, {3, 6, 9}))}, {1, 1, 7},
         {3, 3, 4.5, 6, 7.5, 9, 9});
}

TEST_P(OpTest, AdaptivePoolingOfTwoAxes) {
  Expect(AdaptiveAveragePooling{}, {Source(Count({1, 1, 4, 2}, 1))}, {1, 1, 2, 1}, {2.5, 6.5});
  Expect(AdaptiveAveragePooling{}, {Source(Count({3, 1, 2, 2}, 1))}, {3, 1, 1, 1},
         {2.5, 6.5, 10.5});
}

TEST_P(OpTest, AdaptivePoolingOfThreeAxes) {
  const OpInput src = Source(Count({1, 1, 2, 2, 2}, 1));
  Expect(AdaptiveAveragePooling{}, {src}, {1, 1, 1, 1, 1}, {4.5});
  Expect(AdaptiveAveragePooling{}, {src}, {1, 1, 2, 1, 2}, {2, 3, 6, 7});
}

}  // namespace
}  // namespace lazynet::backend
