#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "engine/backend/onednn/own/isa.h"
#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::Convolution;
using backend::Graph;
using backend::kNoValue;
using backend::ValueId;

// With padding of 1 unless another is given.
Convolution ThreeByThree(int64_t padding = 1) {
  return {.strides = {1, 1},
          .dilations = {1, 1},
          .padding_l = {padding, padding},
          .padding_r = {padding, padding},
          .groups = 1,
          .winograd = true};
}

bool HasWinograd(const Convolution& op, const Shape& src_shape, const Shape& weights_shape,
                 const Shape& dst_shape, DType dtype = DType::kFp32, bool constant = true) {
  Graph graph;
  const ValueId src = graph.AddInput(dtype, src_shape);
  const ValueId weights =
      constant ? graph.AddConstant(DType::kFp32, weights_shape, {.key = "w", .make = nullptr})
               : graph.AddInput(DType::kFp32, weights_shape);
  graph.AddOp(op, {src, weights, kNoValue}, dst_shape, "conv");
  graph.values.back().dtype = dtype;
  return Onednn().HasWinograd(graph, graph.ops[0]);
}

TEST(OnednnWinograd, IsForLargeEnoughImagesOfWholeBlocksOfChannels) {
  const Convolution op = ThreeByThree();
  const Shape image{1, 32, 20, 20}, weights{32, 32, 3, 3};
  if (backend::own::DetectIsa() != backend::own::Isa::kAvx512) {
    EXPECT_FALSE(HasWinograd(op, image, weights, image));
    return;
  }
  EXPECT_TRUE(HasWinograd(op, image, weights, image));
  EXPECT_TRUE(HasWinograd(op, {2, 32, 10, 30}, {48, 32, 3, 3}, {2, 48, 10, 30}));
  EXPECT_FALSE(HasWinograd(op, image, weights, image, DType::kBf16));
  EXPECT_FALSE(HasWinograd(op, image, weights, image, DType::kFp32, /*constant=*/false));
  EXPECT_FALSE(HasWinograd(op, {1, 32, 9, 30}, weights, {1, 32, 9, 30}));
  EXPECT_FALSE(HasWinograd(op, {1, 24, 20, 20}, {32, 24, 3, 3}, image));
  EXPECT_FALSE(HasWinograd(op, image, {24, 32, 3, 3}, {1, 24, 20, 20}));
  EXPECT_FALSE(HasWinograd(op, {1, 32, 50}, {32, 32, 3}, {1, 32, 50}));
  Convolution other = op;
  other.groups = 2;
  EXPECT_FALSE(HasWinograd(other, image, {32, 16, 3, 3}, image));
  other = op;
  other.strides = {1, 2};
  EXPECT_FALSE(HasWinograd(other, image, weights, {1, 32, 20, 10}));
  other = op;
  other.dilations = {2, 2};
  EXPECT_FALSE(HasWinograd(other, image, weights, {1, 32, 18, 18}));
  EXPECT_FALSE(HasWinograd(op, image, {32, 32, 3, 5}, {1, 32, 20, 18}));
}

// Sums of both algorithms differ by a few units of the largest magnitudes around.
TEST(OnednnWinograd, AgreesWithLoops) {
  struct Case {
    int64_t items, channels, outputs, height, width, padding;
  };
  const std::vector<Case> cases{{1, 16, 16, 10, 10, 1}, {2, 16, 48, 11, 13, 1},
                                {1, 32, 16, 14, 30, 1}, {3, 64, 32, 12, 12, 0},
                                {8, 32, 32, 21, 17, 1}, {1, 128, 128, 28, 28, 1},
                                {2, 16, 32, 40, 57, 0}, {1, 16, 16, 100, 40, 2}};
  for (const Case& one : cases) {
    const Convolution op = ThreeByThree(one.padding);
    const int64_t crop = 2 - 2 * one.padding;
    const Shape dst{one.items, one.outputs, one.height - crop, one.width - crop};
    SCOPED_TRACE(fmt::format("{} channels to {}", one.channels, dst.ToString()));
    const Tensor src = Noise({one.items, one.channels, one.height, one.width}, 1);
    const Tensor weights = Noise({one.outputs, one.channels, 3, 3}, 2);
    const Tensor bias = Noise({one.outputs}, 3);
    const double tolerance = 2e-6 * static_cast<double>(one.channels);
    const std::string implementation =
        ExpectInAllLayouts(op, {Source(src), Constant(weights), Constant(bias)}, dst,
                           ConvolutionOf(op, src, weights, &bias, dst), tolerance);
    if (backend::own::DetectIsa() == backend::own::Isa::kAvx512 && one.padding < 2) {
      EXPECT_THAT(implementation, ::testing::HasSubstr("wino"));
    }
  }
}

}  // namespace
}  // namespace lazynet::testing
