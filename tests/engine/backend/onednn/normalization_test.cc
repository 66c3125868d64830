#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::LayerNormalization;
using backend::Normalization;
using backend::Softmax;
using Statistics = Normalization::Statistics;

const Shape kShapes[] = {{4, 5},        {2, 3, 7},       {1, 1, 9},       {2, 16, 5, 5},
                         {3, 20, 4, 3}, {2, 64, 10, 10}, {1, 6, 3, 4, 5}, {2, 33, 6}};

Tensor Positive(const Shape& shape, uint32_t seed) {
  Tensor tensor = Noise(shape, seed);
  for (float& value : tensor.mutable_view().values<float>()) value = std::abs(value) + 0.1f;
  return tensor;
}

TEST(OnednnNormalization, AgreesWithLoops) {
  for (const Shape& shape : kShapes) {
    const Shape channels{shape.dim(1)};
    const Tensor src = Noise(shape, 1);
    const Tensor mean = Noise(channels, 2);
    const Tensor variance = Positive(channels, 3);
    const Tensor scale = Noise(channels, 4);
    const Tensor shift = Noise(channels, 5);
    for (const bool scaled : {false, true}) {
      for (const bool shifted : {false, true}) {
        SCOPED_TRACE(fmt::format("{} scaled {} shifted {}", shape.ToString(), scaled, shifted));
        const OpInput scale_input = scaled ? Constant(scale) : Absent();
        const OpInput shift_input = shifted ? Constant(shift) : Absent();
        const Tensor* const scale_tensor = scaled ? &scale : nullptr;
        const Tensor* const shift_tensor = shifted ? &shift : nullptr;
        Normalization op{Statistics::kGiven, 1e-5};
        ExpectInAllLayouts(
            op, {Source(src), Constant(mean), Constant(variance), scale_input, shift_input}, shape,
            NormalizationOf(op, src, &mean, &variance, scale_tensor, shift_tensor), 5e-6);
        op.statistics = Statistics::kPerBatch;
        ExpectInAllLayouts(op, {Source(src), Absent(), Absent(), scale_input, shift_input}, shape,
                           NormalizationOf(op, src, nullptr, nullptr, scale_tensor, shift_tensor),
                           5e-6);
        if (shape.rank() == 2) continue;
        op.statistics = Statistics::kPerInstance;
        ExpectInAllLayouts(op, {Source(src), Absent(), Absent(), scale_input, shift_input}, shape,
                           NormalizationOf(op, src, nullptr, nullptr, scale_tensor, shift_tensor),
                           5e-6);
        for (const int64_t groups : {shape.dim(1), int64_t{1}, int64_t{2}}) {
          if (shape.dim(1) % groups != 0) continue;
          const Normalization grouped{Statistics::kPerGroup, 1e-5, groups};
          ExpectInAllLayouts(
              grouped, {Source(src), Absent(), Absent(), scale_input, shift_input}, shape,
              NormalizationOf(grouped, src, nullptr, nullptr, scale_tensor, shift_tensor), 5e-6);
        }
      }
    }
  }
}

// Every place in a vector has been a special one.
TEST(OnednnNormalization, GroupsKeepNanAndInfinityToThemselves) {
  const Normalization op{Statistics::kPerGroup, 1e-5, 2};
  for (const float special : {NAN, INFINITY, -INFINITY}) {
    for (size_t at = 0; at < 36; ++at) {
      Tensor src = Noise({1, 4, 6, 6}, 1);
      src.mutable_view().values<float>()[36 + at] = special;
      ExpectInAllLayouts(op, {Source(src), Absent(), Absent(), Absent(), Absent()}, src.shape(),
                         NormalizationOf(op, src, nullptr, nullptr, nullptr, nullptr), 5e-6);
    }
  }
}

TEST(OnednnLayerNormalization, AgreesWithLoops) {
  for (const Shape& shape :
       {Shape{1, 1}, Shape{3, 7}, Shape{5, 16}, Shape{2, 100}, Shape{7, 33}, Shape{4, 768}}) {
    const Tensor src = Noise(shape, 1);
    const Tensor scale = Noise({shape.dim(1)}, 2);
    const Tensor shift = Noise({shape.dim(1)}, 3);
    const LayerNormalization op;
    for (const bool constant : {false, true}) {
      SCOPED_TRACE(fmt::format("{} constant {}", shape.ToString(), constant));
      const OpInput input{src, constant};
      ExpectInAllLayouts(op, {input, {scale, constant}, {shift, constant}}, shape,
                         LayerNormalizationOf(op, src, &scale, &shift), 5e-6);
      ExpectInAllLayouts(op, {input, {scale, constant}, Absent()}, shape,
                         LayerNormalizationOf(op, src, &scale, nullptr), 5e-6);
      ExpectInAllLayouts(op, {input, Absent(), {shift, constant}}, shape,
                         LayerNormalizationOf(op, src, nullptr, &shift), 5e-6);
      ExpectInAllLayouts(op, {input, Absent(), Absent()}, shape,
                         LayerNormalizationOf(op, src, nullptr, nullptr), 5e-6);
    }
  }
}

TEST(OnednnLayerNormalization, KeepsNanAndInfinityInTheirRow) {
  const LayerNormalization op;
  for (const float special : {NAN, INFINITY, -INFINITY}) {
    for (const size_t size : {size_t{5}, size_t{19}, size_t{40}}) {
      for (size_t at = 0; at < size; ++at) {
        Tensor src = Noise({3, static_cast<int64_t>(size)}, 1);
        src.mutable_view().values<float>()[size + at] = special;
        ExpectInAllLayouts(op, {Source(src), Absent(), Absent()}, src.shape(),
                           LayerNormalizationOf(op, src, nullptr, nullptr), 5e-6);
      }
    }
  }
}

// E[x^2] - E[x]^2 in floats would leave nothing of the variance.
TEST(OnednnLayerNormalization, KeepsItsPrecisionFarFromZero) {
  Tensor src = Noise({3, 200}, 1);
  for (float& x : src.mutable_view().values<float>()) x += 1000;
  const LayerNormalization op;
  ExpectInAllLayouts(op, {Source(src), Absent(), Absent()}, src.shape(),
                     LayerNormalizationOf(op, src, nullptr, nullptr), 1e-3);
}

// A variance by E[x^2] - E[x]^2 would lose everything here. oneDNN's sums over a batch are single
// floats, the own ones per instance are corrected.
TEST(OnednnNormalization, StatisticsKeepTheirPrecisionFarFromZero) {
  const Shape shape{2, 16, 20, 20};
  Tensor src = Noise(shape, 1);
  for (float& value : src.mutable_view().values<float>()) value += 1000.0f;
  for (const Statistics statistics : {Statistics::kPerBatch, Statistics::kPerInstance}) {
    const Normalization op{statistics, 1e-5};
    ExpectInAllLayouts(op, {Source(src), Absent(), Absent(), Absent(), Absent()}, shape,
                       NormalizationOf(op, src, nullptr, nullptr, nullptr, nullptr),
                       statistics == Statistics::kPerBatch ? 5e-3 : 5e-4);
  }
}

TEST(OnednnNormalization, NaNSpreadsAsFarAsItsStatistics) {
  const Shape shape{2, 20, 3, 3};
  Tensor src = Noise(shape, 1);
  src.mutable_view().values<float>()[4] = NAN;
  for (const Statistics statistics : {Statistics::kPerBatch, Statistics::kPerInstance}) {
    const Normalization op{statistics, 1e-5};
    ExpectInAllLayouts(op, {Source(src), Absent(), Absent(), Absent(), Absent()}, shape,
                       NormalizationOf(op, src, nullptr, nullptr, nullptr, nullptr), 1e-5);
  }
}

TEST(OnednnSoftmax, AgreesWithLoopsOverEveryAxis) {
  for (const Shape& shape : {Shape{7}, Shape{3, 10}, Shape{2, 5, 7}, Shape{2, 19, 5, 3},
                             Shape{1, 21, 9, 9}, Shape{2, 3, 4, 2, 5}, Shape{2, 2, 2, 2, 2, 3}}) {
    const Tensor src = Noise(shape, 1);
    for (int axis = 0; axis < shape.rank(); ++axis) {
      for (const bool log : {false, true}) {
        SCOPED_TRACE(fmt::format("{} axis {} log {}", shape.ToString(), axis, log));
        const Softmax op{axis, log};
        ExpectInAllLayouts(op, {Source(src)}, shape, SoftmaxOf(op, src), 2e-6);
      }
    }
  }
}

TEST(OnednnSoftmax, SpecialValuesAreAsByTheFormula) {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor src = Values({6, 3}, {1, NAN, 2, -inf, -inf, -inf, -inf, 1, 2,  //
                                     inf, 1, 2, 1000, 0, -1000, 3e38f, -3e38f, 0});
  for (const bool log : {false, true}) {
    const Softmax op{1, log};
    std::vector<double> want = SoftmaxOf(op, src);
    // NaN spreads over its row, whichever elements come after it.
    want[0] = want[1] = want[2] = NAN;
    ExpectInAllLayouts(op, {Source(src)}, {6, 3}, want, 1e-6, 1e-6);
  }
}

}  // namespace
}  // namespace lazynet::testing
