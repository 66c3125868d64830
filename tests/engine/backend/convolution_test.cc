#include <limits>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// One axis, two taps: dst[i] = src[i] + 10 src[i + 1].
const Shape kSrc = {1, 1, 5};
const Shape kKernel = {1, 1, 2};
Tensor OneToFive() { return Count(kSrc, 1); }
Tensor OneAndTen() { return Values(kKernel, {1, 10}); }

Convolution OneAxis(int64_t stride, int64_t dilation, int64_t padding_l, int64_t padding_r) {
  return {.strides = {stride},
          .dilations = {dilation},
          .padding_l = {padding_l},
          .padding_r = {padding_r}};
}

// Stride 1, no padding, on `axes` axes.
Convolution Plain(size_t axes, int64_t groups = 1) {
  return {.strides = AxisVector(axes, 1),
          .dilations = AxisVector(axes, 1),
          .padding_l = AxisVector(axes, 0),
          .padding_r = AxisVector(axes, 0),
          .groups = groups};
}

TEST_P(OpTest, InnerProduct) {
  const OpInput weights = Constant(Values({2, 3}, {1, 0, -1, 2, 1, 0}));
  Expect(InnerProduct{}, {Source(Count({1, 3}, 1)), weights, Constant(Values({2}, {10, 20}))},
         {1, 2}, {8, 24});
  Expect(InnerProduct{}, {Source(Count({1, 3}, 1)), weights, Absent()}, {1, 2}, {-2, 4});
  Expect(InnerProduct{}, {Source(Count({3, 3}, 1)), weights, Absent()}, {3, 2},
         {-2, 4, -2, 13, -2, 22});
}

TEST_P(OpTest, InnerProductOfOneFeature) {
  Expect(InnerProduct{}, {Source(Count({5, 1})), Constant(Values({1, 1}, {3})), Absent()}, {5, 1},
         {0, 3, 6, 9, 12});
}

TEST_P(OpTest, ConvolutionIsCrossCorrelation) {
  Expect(OneAxis(1, 1, 0, 0), {Source(OneToFive()), Constant(OneAndTen()), Absent()}, {1, 1, 4},
         {21, 32, 43, 54});
}

TEST_P(OpTest, ConvolutionWithStride) {
  Expect(OneAxis(2, 1, 0, 0), {Source(OneToFive()), Constant(OneAndTen()), Absent()}, {1, 1, 2},
         {21, 43});
}

TEST_P(OpTest, ConvolutionWithDilation) {
  Expect(OneAxis(1, 2, 0, 0), {Source(OneToFive()), Constant(OneAndTen()), Absent()}, {1, 1, 3},
         {31, 42, 53});
}

TEST_P(OpTest, ConvolutionWithUnequalPadding) {
  Expect(OneAxis(1, 1, 2, 1), {Source(OneToFive()), Constant(OneAndTen()), Absent()}, {1, 1, 7},
         {0, 10, 21, 32, 43, 54, 5});
  Expect(OneAxis(1, 1, 0, 1), {Source(OneToFive()), Constant(OneAndTen()), Absent()}, {1, 1, 5},
         {21, 32, 43, 54, 5});
}

TEST_P(OpTest, ConvolutionWithPaddingWiderThanTheKernel) {
  Expect(OneAxis(1, 1, 3, 0),
         {Source(OneToFive()), Constant(OneAndTen()), Constant(Values({1}, {7}))}, {1, 1, 7},
         {7, 7, 17, 28, 39, 50, 61});
}

// A weight of zero does not hide them.
TEST_P(OpTest, ConvolutionSpreadsNanAndInfinity) {
  const OpInput weights = Constant(Values(kKernel, {0, 1}));
  Expect(Plain(1), {Source(Values(kSrc, {1, kNan, 2, kInfinity, 3})), weights, Absent()}, {1, 1, 4},
         {kNan, kNan, kInfinity, kNan});
}

TEST_P(OpTest, ConvolutionWithStrideDilationAndPadding) {
  Expect(OneAxis(2, 3, 1, 2), {Source(OneToFive()), Constant(OneAndTen()), Absent()}, {1, 1, 3},
         {30, 52, 4});
}

TEST_P(OpTest, ConvolutionInGroups) {
  Expect(Plain(1, 2),
         {Source(Count({1, 4, 2}, 1)), Constant(Values({2, 2, 1}, {1, 10, 100, 1000})), Absent()},
         {1, 2, 2}, {31, 42, 7500, 8600});
}

TEST_P(OpTest, ConvolutionDepthwise) {
  Expect(Plain(1, 3),
         {Source(Count({1, 3, 2}, 1)), Constant(Values({3, 1, 2}, {1, 1, 1, -1, 2, 0})), Absent()},
         {1, 3, 1}, {3, -1, 10});
}

TEST_P(OpTest, ConvolutionDepthwiseWithAMultiplier) {
  Expect(Plain(2, 3),
         {Source(Values({1, 3, 1, 1}, {1, 10, 100})), Constant(Count({6, 1, 1, 1}, 1)), Absent()},
         {1, 6, 1, 1}, {1, 2, 30, 40, 500, 600});
}

TEST_P(OpTest, ConvolutionOfTwoAxes) {
  Expect(Plain(2), {Source(Count({1, 1, 3, 3}, 1)), Constant(Count({1, 1, 2, 2}, 1)), Absent()},
         {1, 1, 2, 2}, {37, 47, 67, 77});
}

TEST_P(OpTest, ConvolutionWithOtherArgumentsOnEachAxis) {
  const Convolution op = {
      .strides = {1, 2}, .dilations = {2, 1}, .padding_l = {0, 1}, .padding_r = {1, 0}};
  Expect(op, {Source(Count({1, 1, 3, 4}, 1)), Constant(Values({1, 1, 2, 1}, {1, 100})), Absent()},
         {1, 1, 2, 3}, {0, 1002, 1204, 0, 6, 8});
}

TEST_P(OpTest, ConvolutionOfAnOddBatchWithBias) {
  Expect(Plain(2),
         {Source(Count({3, 2, 1, 1}, 1)), Constant(Values({2, 2, 1, 1}, {1, 1, 1, -1})),
          Constant(Values({2}, {10, 20}))},
         {3, 2, 1, 1}, {13, 19, 17, 19, 21, 19});
}

TEST_P(OpTest, ConvolutionOfThreeAxes) {
  const Tensor src = Count({1, 1, 2, 2, 2}, 1);
  Expect(Plain(3), {Source(src), Constant(Count({1, 1, 2, 2, 2})), Absent()}, {1, 1, 1, 1, 1},
         {168});
  const Convolution corners = {
      .strides = {2, 2, 2}, .dilations = {1, 1, 1}, .padding_l = {1, 1, 1}, .padding_r = {1, 1, 1}};
  Expect(corners, {Source(src), Constant(Count({1, 1, 2, 2, 2}, 1, 0)), Absent()}, {1, 1, 2, 2, 2},
         {1, 2, 3, 4, 5, 6, 7, 8});
}

// Likewise: src is 1, 2, 3.
Deconvolution TransposedOneAxis(int64_t stride, int64_t dilation, int64_t padding) {
  return {.strides = {stride}, .dilations = {dilation}, .padding = {padding}};
}
Tensor OneToThree() { return Count({1, 1, 3}, 1); }

TEST_P(OpTest, DeconvolutionScatters) {
  Expect(TransposedOneAxis(1, 1, 0), {Source(OneToThree()), Constant(OneAndTen()), Absent()},
         {1, 1, 4}, {1, 12, 23, 30});
}

TEST_P(OpTest, DeconvolutionWithStride) {
  Expect(TransposedOneAxis(2, 1, 0), {Source(OneToThree()), Constant(OneAndTen()), Absent()},
         {1, 1, 6}, {1, 10, 2, 20, 3, 30});
  Expect(TransposedOneAxis(3, 1, 0), {Source(OneToThree()), Constant(OneAndTen()), Absent()},
         {1, 1, 8}, {1, 10, 0, 2, 20, 0, 3, 30});
}

TEST_P(OpTest, DeconvolutionWithDilation) {
  Expect(TransposedOneAxis(1, 2, 0), {Source(OneToThree()), Constant(OneAndTen()), Absent()},
         {1, 1, 5}, {1, 2, 13, 20, 30});
}

TEST_P(OpTest, DeconvolutionWithPaddingDropsBothEnds) {
  Expect(TransposedOneAxis(1, 1, 1), {Source(OneToThree()), Constant(OneAndTen()), Absent()},
         {1, 1, 2}, {12, 23});
}

TEST_P(OpTest, DeconvolutionWithOutputPaddingKeepsMoreOfTheFarEnd) {
  Expect(TransposedOneAxis(2, 1, 1), {Source(OneToThree()), Constant(OneAndTen()), Absent()},
         {1, 1, 5}, {10, 2, 20, 3, 30});
  Expect(TransposedOneAxis(2, 1, 0),
         {Source(OneToThree()), Constant(OneAndTen()), Constant(Values({1}, {5}))}, {1, 1, 7},
         {6, 15, 7, 25, 8, 35, 5});
}

TEST_P(OpTest, DeconvolutionInGroups) {
  const Deconvolution op = {.strides = {1}, .dilations = {1}, .padding = {0}, .groups = 2};
  Expect(op,
         {Source(Count({1, 4, 1}, 1)), Constant(Values({4, 2, 1}, {1, 10, 100, 1000, 1, 1, 1, -1})),
          Absent()},
         {1, 4, 1}, {201, 2010, 7, -1});
}

TEST_P(OpTest, DeconvolutionDepthwise) {
  const Deconvolution op = {.strides = {1}, .dilations = {1}, .padding = {0}, .groups = 2};
  Expect(op, {Source(Count({1, 2, 2}, 1)), Constant(Values({2, 1, 1}, {10, 100})), Absent()},
         {1, 2, 2}, {10, 20, 300, 400});
}

TEST_P(OpTest, DeconvolutionOfTwoAxes) {
  const Deconvolution op = {.strides = {2, 1}, .dilations = {1, 1}, .padding = {0, 0}};
  Expect(op,
         {Source(Count({1, 1, 2, 2}, 1)), Constant(Values({1, 1, 2, 2}, {1, 10, 100, 1000})),
          Absent()},
         {1, 1, 4, 3}, {1, 12, 20, 100, 1200, 2000, 3, 34, 40, 300, 3400, 4000});
}

TEST_P(OpTest, DeconvolutionOfThreeAxes) {
  const Deconvolution op = {.strides = {1, 1, 1}, .dilations = {1, 1, 1}, .padding = {0, 0, 0}};
  Expect(op, {Source(Values({1, 1, 1, 1, 1}, {2})), Constant(Count({1, 1, 2, 2, 2}, 1)), Absent()},
         {1, 1, 2, 2, 2}, {2, 4, 6, 8, 10, 12, 14, 16});
}

TEST_P(OpTest, DeconvolutionOfAnOddBatch) {
  Expect(TransposedOneAxis(1, 1, 0),
         {Source(Count({3, 1, 1}, 1)), Constant(Values({1, 1, 2}, {1, 2})), Absent()}, {3, 1, 2},
         {1, 2, 2, 4, 3, 6});
}

}  // namespace
}  // namespace lazynet::backend
