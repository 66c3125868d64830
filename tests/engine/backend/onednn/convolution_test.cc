#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::AxisVector;
using backend::Convolution;
using backend::Deconvolution;

class Random {
 public:
  explicit Random(uint32_t seed) : generator_(seed) {}
  int64_t In(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(generator_() % static_cast<uint32_t>(high - low + 1));
  }

 private:
  std::mt19937 generator_;
};

struct ConvolutionCase {
  Convolution op;
  Shape src, weights, dst;
};

ConvolutionCase RandomConvolution(Random& random) {
  while (true) {
    ConvolutionCase result;
    const int64_t axes = random.In(1, 3);
    int64_t group_channels = random.In(1, 20);
    int64_t group_outputs = random.In(1, 20);
    switch (random.In(0, 4)) {
      case 0:
        result.op.groups = random.In(2, 5);
        break;
      case 1:  // depthwise, now and then with a multiplier
        result.op.groups = random.In(2, 40);
        group_channels = 1;
        group_outputs = random.In(0, 3) == 0 ? 2 : 1;
        break;
      default:
        break;
    }
    Shape::Dims src{random.In(1, 3), group_channels * result.op.groups};
    Shape::Dims weights{group_outputs * result.op.groups, group_channels};
    Shape::Dims dst{src[0], weights[0]};
    bool valid = true;
    for (int64_t axis = 0; axis < axes; ++axis) {
      const int64_t size = random.In(1, axes == 3 ? 7 : 13);
      const int64_t kernel = random.In(1, 4);
      const int64_t stride = random.In(1, 3);
      const int64_t dilation = random.In(1, 2);
      const int64_t left = random.In(0, 3);
      const int64_t right = random.In(0, 3);
      const int64_t room = size + left + right - dilation * (kernel - 1) - 1;
      valid = valid && room >= 0;
      src.push_back(size);
      weights.push_back(kernel);
      dst.push_back(room / stride + 1);
      result.op.strides.push_back(stride);
      result.op.dilations.push_back(dilation);
      result.op.padding_l.push_back(left);
      result.op.padding_r.push_back(right);
    }
    if (!valid) continue;
    result.src = Shape(src);
    result.weights = Shape(weights);
    result.dst = Shape(dst);
    return result;
  }
}

void ExpectConvolution(const Convolution& op, const Shape& src_shape, const Shape& weights_shape,
                       const Shape& dst_shape, bool with_bias) {
  SCOPED_TRACE(fmt::format("src {} weights {} dst {} groups {} strides {} dilations {}",
                           src_shape.ToString(), weights_shape.ToString(), dst_shape.ToString(),
                           op.groups, fmt::join(op.strides, ","), fmt::join(op.dilations, ",")));
  const Tensor src = Noise(src_shape, 1);
  const Tensor weights = Noise(weights_shape, 2);
  const Tensor bias = Noise({dst_shape.dim(1)}, 3);
  const int64_t products = weights_shape.num_elements() / weights_shape.dim(0);
  ExpectInAllLayouts(
      op, {Source(src), Constant(weights), with_bias ? Constant(bias) : Absent()}, dst_shape,
      ConvolutionOf(op, src, weights, with_bias ? &bias : nullptr, dst_shape), Tolerance(products));
}

TEST(OnednnConvolution, AgreesWithLoopsOnRandomShapes) {
  Random random(7);
  for (int i = 0; i < 150; ++i) {
    const ConvolutionCase item = RandomConvolution(random);
    ExpectConvolution(item.op, item.src, item.weights, item.dst, i % 2 == 0);
  }
}

TEST(OnednnConvolution, AgreesWithLoopsOnShapesOfNetworks) {
  const auto plain = [](AxisVector strides, AxisVector padding, int64_t groups = 1) {
    Convolution op;
    op.strides = strides;
    op.dilations = AxisVector(strides.size(), 1);
    op.padding_l = op.padding_r = padding;
    op.groups = groups;
    return op;
  };
  ExpectConvolution(plain({2, 2}, {3, 3}), {1, 3, 32, 32}, {64, 3, 7, 7}, {1, 64, 16, 16}, true);
  ExpectConvolution(plain({1, 1}, {0, 0}), {2, 1, 28, 28}, {6, 1, 5, 5}, {2, 6, 24, 24}, true);
  ExpectConvolution(plain({1, 1}, {1, 1}), {1, 64, 9, 9}, {64, 64, 3, 3}, {1, 64, 9, 9}, false);
  ExpectConvolution(plain({2, 2}, {0, 0}), {1, 64, 9, 9}, {96, 64, 1, 1}, {1, 96, 5, 5}, false);
  ExpectConvolution(plain({1, 1}, {1, 1}, 96), {1, 96, 9, 9}, {96, 1, 3, 3}, {1, 96, 9, 9}, true);
  ExpectConvolution(plain({1}, {1}, 64), {2, 64, 50}, {64, 1, 3}, {2, 64, 50}, true);
  ExpectConvolution(plain({1, 1}, {1, 1}, 32), {1, 128, 9, 9}, {128, 4, 3, 3}, {1, 128, 9, 9},
                    false);
}

// On layouts with padded channels, infinity times the zero weights of the padding would be NaN, and
// spread from there.
TEST(OnednnConvolution, InfinityStaysOutOfPadding) {
  Tensor src = Noise({1, 4, 8, 8}, 1);
  src.mutable_view().values<float>()[3 * 8 + 3] = INFINITY;
  const Tensor weights = Noise({4, 4, 3, 3}, 2);
  const Convolution op{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
  ExpectInAllLayouts(op, {Source(src), Constant(weights), Absent()}, {1, 4, 8, 8},
                     ConvolutionOf(op, src, weights, nullptr, {1, 4, 8, 8}), Tolerance(36));
}

TEST(OnednnConvolution, ANaNReachesTheWindowsThatCoverIt) {
  Tensor src = Noise({1, 4, 8, 8}, 1);
  src.mutable_view().values<float>()[3 * 8 + 3] = NAN;
  const Tensor weights = Noise({4, 4, 3, 3}, 2);
  const Convolution op{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
  ExpectInAllLayouts(op, {Source(src), Constant(weights), Absent()}, {1, 4, 8, 8},
                     ConvolutionOf(op, src, weights, nullptr, {1, 4, 8, 8}), Tolerance(36));
}

struct DeconvolutionCase {
  Deconvolution op;
  Shape src, weights, dst;
};

DeconvolutionCase RandomDeconvolution(Random& random) {
  while (true) {
    DeconvolutionCase result;
    const int64_t axes = random.In(1, 3);
    int64_t group_channels = random.In(1, 12);
    int64_t group_outputs = random.In(1, 12);
    switch (random.In(0, 4)) {
      case 0:
        result.op.groups = random.In(2, 4);
        break;
      case 1:
        result.op.groups = random.In(2, 20);
        group_channels = group_outputs = 1;
        break;
      case 2:  // O = C, where exchanged channels would go unnoticed by the shapes
        group_outputs = group_channels;
        break;
      default:
        break;
    }
    Shape::Dims src{random.In(1, 3), group_channels * result.op.groups};
    Shape::Dims weights{src[1], group_outputs};
    Shape::Dims dst{src[0], group_outputs * result.op.groups};
    bool valid = true;
    for (int64_t axis = 0; axis < axes; ++axis) {
      const int64_t size = random.In(1, axes == 3 ? 5 : 9);
      const int64_t kernel = random.In(1, 4);
      const int64_t stride = random.In(1, 3);
      const int64_t dilation = random.In(1, 2);
      const int64_t padding = random.In(0, 3);
      const int64_t output_padding = random.In(0, std::max(stride, dilation) - 1);
      const int64_t out =
          (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1;
      valid = valid && out > 0;
      src.push_back(size);
      weights.push_back(kernel);
      dst.push_back(out);
      result.op.strides.push_back(stride);
      result.op.dilations.push_back(dilation);
      result.op.padding.push_back(padding);
    }
    if (!valid) continue;
    result.src = Shape(src);
    result.weights = Shape(weights);
    result.dst = Shape(dst);
    return result;
  }
}

// Whether an axis ends in `stride` or more elements that no src element scatters to, which oneDNN
// refuses and the fallback gets.
bool IsBeyondScatter(const DeconvolutionCase& item) {
  for (size_t axis = 0; axis < item.op.strides.size(); ++axis) {
    const int i = static_cast<int>(axis) + 2;
    const int64_t end = (item.src.dim(i) - 1) * item.op.strides[axis] - item.op.padding[axis] +
                        item.op.dilations[axis] * (item.weights.dim(i) - 1) + 1;
    if (item.dst.dim(i) - end >= item.op.strides[axis]) return true;
  }
  return false;
}

TEST(OnednnDeconvolution, AgreesWithLoopsOnRandomShapes) {
  Random random(11);
  for (int i = 0; i < 120; ++i) {
    const DeconvolutionCase item = RandomDeconvolution(random);
    SCOPED_TRACE(
        fmt::format("src {} weights {} dst {} groups {} strides {} dilations {} padding {}",
                    item.src.ToString(), item.weights.ToString(), item.dst.ToString(),
                    item.op.groups, fmt::join(item.op.strides, ","),
                    fmt::join(item.op.dilations, ","), fmt::join(item.op.padding, ",")));
    const Tensor src = Noise(item.src, 1);
    const Tensor weights = Noise(item.weights, 2);
    const Tensor bias = Noise({item.dst.dim(1)}, 3);
    const bool with_bias = i % 2 == 0;
    if (IsBeyondScatter(item)) {
      EXPECT_EQ(
          RunArrived(item.op, {Source(src), Constant(weights), Absent()}, item.dst, Arrival::kDense)
              .status()
              .code(),
          absl::StatusCode::kUnimplemented);
      continue;
    }
    ExpectInAllLayouts(
        item.op, {Source(src), Constant(weights), with_bias ? Constant(bias) : Absent()}, item.dst,
        DeconvolutionOf(item.op, src, weights, with_bias ? &bias : nullptr, item.dst),
        Tolerance(item.weights.num_elements() / item.weights.dim(1)));
  }
}

}  // namespace
}  // namespace lazynet::testing
