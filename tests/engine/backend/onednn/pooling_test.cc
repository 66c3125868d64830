#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::AdaptiveAveragePooling;
using backend::Pooling;

constexpr float kInf = std::numeric_limits<float>::infinity();

struct PoolingCase {
  Pooling op;
  Shape src, dst;
  bool dilated = false;
};

PoolingCase RandomPooling(std::mt19937& generator) {
  const auto in = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(generator() % static_cast<uint32_t>(high - low + 1));
  };
  while (true) {
    PoolingCase result;
    const int64_t axes = in(1, 3);
    result.dilated = in(0, 3) == 0;
    const bool ceil = in(0, 1) == 0;
    result.op.count_include_pad = in(0, 1) == 0;
    if (in(0, 4) == 0) result.op.divisor_override = in(1, 9);
    Shape::Dims src{in(1, 3), in(0, 1) == 0 ? in(1, 7) : in(8, 100)};
    Shape::Dims dst = src;
    bool valid = true;
    for (int64_t axis = 0; axis < axes; ++axis) {
      const int64_t size = axis + 1 == axes ? in(1, 50) : in(1, 7);
      const int64_t kernel = in(1, 4);
      const int64_t stride = in(1, 4);
      const int64_t dilation = result.dilated ? in(1, 3) : 1;
      const int64_t padding = in(0, kernel / 2);
      const int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
      valid = valid && room >= 0;
      int64_t out = (room + (ceil ? stride - 1 : 0)) / stride + 1;
      if (ceil && (out - 1) * stride >= size + padding) --out;
      src.push_back(size);
      dst.push_back(out);
      result.op.kernel.push_back(kernel);
      result.op.strides.push_back(stride);
      result.op.dilations.push_back(dilation);
      result.op.padding.push_back(padding);
    }
    if (!valid) continue;
    result.src = Shape(src);
    result.dst = Shape(dst);
    return result;
  }
}

TEST(OnednnPooling, AgreesWithLoopsOnRandomShapes) {
  std::mt19937 generator(5);
  for (int i = 0; i < 250; ++i) {
    PoolingCase item = RandomPooling(generator);
    SCOPED_TRACE(fmt::format("src {} dst {} kernel {} strides {} dilations {} padding {}",
                             item.src.ToString(), item.dst.ToString(),
                             fmt::join(item.op.kernel, ","), fmt::join(item.op.strides, ","),
                             fmt::join(item.op.dilations, ","), fmt::join(item.op.padding, ",")));
    const Tensor src = Noise(item.src, 1);
    item.op.kind = Pooling::Kind::kMax;
    ExpectInAllLayouts(item.op, {Source(src)}, item.dst, PoolingOf(item.op, src, item.dst), 0);
    if (item.dilated) continue;
    item.op.kind = Pooling::Kind::kAverage;
    ExpectInAllLayouts(item.op, {Source(src)}, item.dst, PoolingOf(item.op, src, item.dst), 1e-5);
  }
}

// Every position of a NaN, +inf and -inf in turn, so that each place in a vector and in a window
// has been one.
TEST(OnednnPooling, MaximumIsExactOnSpecialValues) {
  const Shape src_shape{1, 20, 5, 5};
  const Shape dst_shape{1, 20, 3, 3};
  const Pooling op{Pooling::Kind::kMax, {3, 3}, {2, 2}, {1, 1}, {1, 1}, true, std::nullopt};
  for (const float special : {std::nanf(""), -std::nanf(""), kInf, -kInf}) {
    for (size_t at = 0; at < 25; ++at) {
      Tensor src = Noise(src_shape, 1);
      const auto values = src.mutable_view().values<float>();
      for (size_t channel = 0; channel < 20; channel += 3) values[channel * 25 + at] = special;
      ExpectInAllLayouts(op, {Source(src)}, dst_shape, PoolingOf(op, src, dst_shape), 0);
    }
  }
}

TEST(OnednnPooling, AllMinusInfinityStaysSo) {
  const Shape src_shape{2, 5, 4, 4};
  const Tensor src = Values(src_shape, std::vector<float>(160, -kInf));
  const Pooling op{Pooling::Kind::kMax, {2, 2}, {2, 2}, {1, 1}, {1, 1}, true, std::nullopt};
  ExpectInAllLayouts(op, {Source(src)}, {2, 5, 3, 3}, PoolingOf(op, src, {2, 5, 3, 3}), 0);
}

// Dilation 3 over length 2 steps over the whole input; blocked layouts must keep zeros as padding.
TEST(OnednnPooling, AWindowWithoutTapsIsMinusInfinity) {
  const Pooling op{Pooling::Kind::kMax, {2}, {1}, {3}, {1}, true, std::nullopt};
  const Tensor src = Noise({1, 5, 2}, 1);
  ExpectInAllLayouts(op, {Source(src)}, {1, 5, 1}, std::vector<double>(5, -kInf), 0);
}

TEST(OnednnPooling, AverageSpreadsNaNAndInfinity) {
  Tensor src = Noise({1, 17, 6, 6}, 1);
  const auto values = src.mutable_view().values<float>();
  values[7] = NAN;
  values[36 + 14] = kInf;
  values[72 + 14] = -kInf;
  const Pooling op{Pooling::Kind::kAverage, {3, 3}, {1, 1}, {1, 1}, {1, 1}, true, std::nullopt};
  ExpectInAllLayouts(op, {Source(src)}, {1, 17, 6, 6}, PoolingOf(op, src, {1, 17, 6, 6}), 1e-6);
}

TEST(OnednnAdaptiveAveragePooling, AgreesWithLoops) {
  const std::vector<std::pair<Shape, Shape>> cases = {
      {{2, 5, 7, 7}, {2, 5, 1, 1}},   {{1, 64, 7, 7}, {1, 64, 1, 1}},
      {{1, 64, 8, 6}, {1, 64, 4, 3}}, {{1, 19, 7, 10}, {1, 19, 3, 4}},
      {{1, 6, 3, 3}, {1, 6, 5, 7}},   {{2, 33, 17}, {2, 33, 5}},
      {{1, 1, 9, 9}, {1, 1, 2, 2}},   {{1, 20, 4, 5, 6}, {1, 20, 3, 2, 6}},
      {{1, 40, 1, 1}, {1, 40, 6, 6}}, {{3, 3, 224, 224}, {3, 3, 7, 7}}};
  for (const auto& [src_shape, dst_shape] : cases) {
    SCOPED_TRACE(src_shape.ToString() + " to " + dst_shape.ToString());
    const Tensor src = Noise(src_shape, 1);
    ExpectInAllLayouts(AdaptiveAveragePooling{}, {Source(src)}, dst_shape,
                       AdaptiveAverageOf(src, dst_shape), 2e-6);
  }
}

}  // namespace
}  // namespace lazynet::testing
