#include <cmath>
#include <limits>
#include <numbers>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

constexpr Normalization kGiven = {Normalization::Statistics::kGiven, 0};
constexpr Normalization kPerInstance = {Normalization::Statistics::kPerInstance, 0};

TEST_P(OpTest, NormalizationWithGivenStatistics) {
  Expect(
      kGiven,
      {Source(Count({1, 2, 2}, 1)), Constant(Values({2}, {1, 1})), Constant(Values({2}, {4, 0.25})),
       Constant(Values({2}, {2, 1})), Constant(Values({2}, {10, 20}))},
      {1, 2, 2}, {10, 11, 24, 26});
}

TEST_P(OpTest, NormalizationWithoutScaleOrShift) {
  const OpInput src = Source(Count({3, 1}, 1));
  const OpInput mean = Constant(Values({1}, {1}));
  const OpInput variance = Constant(Values({1}, {4}));
  Expect(kGiven, {src, mean, variance, Absent(), Absent()}, {3, 1}, {0, 0.5, 1});
  Expect(kGiven, {src, mean, variance, Constant(Values({1}, {6})), Absent()}, {3, 1}, {0, 3, 6});
  Expect(kGiven, {src, mean, variance, Absent(), Constant(Values({1}, {6}))}, {3, 1}, {6, 6.5, 7});
}

TEST_P(OpTest, NormalizationAddsEpsInsideTheRoot) {
  Expect(Normalization{Normalization::Statistics::kGiven, 1},
         {Source(Values({1, 1, 1, 1}, {5})), Constant(Values({1}, {1})), Constant(Values({1}, {3})),
          Absent(), Absent()},
         {1, 1, 1, 1}, {2});
}

TEST_P(OpTest, NormalizationPerInstance) {
  const OpInput src = Source(Values({2, 2, 2}, {1, 3, 10, 30, 2, 0, 5, 7}));
  Expect(kPerInstance, {src, Absent(), Absent(), Absent(), Absent()}, {2, 2, 2},
         {-1, 1, -1, 1, 1, -1, -1, 1});
  Expect(kPerInstance,
         {src, Absent(), Absent(), Constant(Values({2}, {2, 3})), Constant(Values({2}, {10, 20}))},
         {2, 2, 2}, {8, 12, 17, 23, 12, 8, 17, 23});
}

TEST_P(OpTest, NormalizationKeepsNanInItsInstance) {
  Expect(kPerInstance,
         {Source(Values({1, 2, 2}, {kNan, 3, 10, 30})), Absent(), Absent(), Absent(), Absent()},
         {1, 2, 2}, {kNan, kNan, -1, 1});
}

TEST_P(OpTest, NormalizationPerBatch) {
  Expect(Normalization{Normalization::Statistics::kPerBatch, 4},
         {Source(Count({2, 1, 2}, 1, 2)), Absent(), Absent(), Constant(Values({1}, {3})),
          Constant(Values({1}, {1}))},
         {2, 1, 2}, {-2, 0, 2, 4});
  Expect(Normalization{Normalization::Statistics::kPerBatch, 0},
         {Source(Values({2, 2}, {1, 10, 3, 30})), Absent(), Absent(), Absent(), Absent()}, {2, 2},
         {-1, -1, 1, 1});
}

TEST_P(OpTest, NormalizationPerGroup) {
  const OpInput src = Source(Values({2, 4, 1}, {1, 3, 10, 30, 2, 0, 5, 7}));
  const Normalization op = {Normalization::Statistics::kPerGroup, 0, 2};
  Expect(op, {src, Absent(), Absent(), Absent(), Absent()}, {2, 4, 1},
         {-1, 1, -1, 1, 1, -1, -1, 1});
  for (const bool constant : {true, false}) {
    Expect(op,
           {src,
            Absent(),
            Absent(),
            {Values({4}, {1, 2, 3, 4}), constant},
            {Values({4}, {0, 10, 20, 30}), constant}},
           {2, 4, 1}, {-1, 12, 17, 34, 1, 8, 17, 34});
  }
}

TEST_P(OpTest, NormalizationKeepsNanInItsGroup) {
  Expect(Normalization{Normalization::Statistics::kPerGroup, 0, 2},
         {Source(Values({1, 4, 1}, {kNan, 3, 10, 30})), Absent(), Absent(), Absent(), Absent()},
         {1, 4, 1}, {kNan, kNan, -1, 1});
}

TEST_P(OpTest, LayerNormalization) {
  const Tensor src = Values({2, 2}, {1, 3, 10, 30});
  const Tensor scale = Values({2}, {2, 3});
  const Tensor shift = Values({2}, {10, 20});
  for (const bool constant : {false, true}) {
    Expect(LayerNormalization{0}, {{src, constant}, Absent(), Absent()}, {2, 2}, {-1, 1, -1, 1});
    Expect(LayerNormalization{0}, {{src, constant}, Source(scale), Constant(shift)}, {2, 2},
           {8, 23, 8, 23});
    Expect(LayerNormalization{3}, {Source(src), {scale, constant}, Absent()}, {2, 2},
           {-1, 1.5, -20 / std::sqrt(103.0), 30 / std::sqrt(103.0)});
  }
}

TEST_P(OpTest, LayerNormalizationByTheMeanSquare) {
  const OpInput src = Source(Values({2, 2}, {1, 7, 3, 3}));
  Expect(LayerNormalization{0, true}, {src, Constant(Values({2}, {10, 20})), Absent()}, {2, 2},
         {2, 28, 10, 20});
  Expect(LayerNormalization{16, true}, {src, Absent(), Constant(Values({2}, {1, 2}))}, {2, 2},
         {1 + 1 / std::sqrt(41.0), 2 + 7 / std::sqrt(41.0), 1.6, 2.6});
}

TEST_P(OpTest, LayerNormalizationKeepsNanInItsRow) {
  const OpInput src = Source(Values({3, 2}, {kNan, 3, kInfinity, 30, 1, 3}));
  Expect(LayerNormalization{0}, {src, Absent(), Absent()}, {3, 2}, {kNan, kNan, kNan, kNan, -1, 1});
  Expect(LayerNormalization{0, true}, {src, Absent(), Absent()}, {3, 2},
         {kNan, kNan, kNan, 0, 1 / std::sqrt(5.0), 3 / std::sqrt(5.0)});
}

TEST_P(OpTest, Softmax) {
  Expect(Softmax{0}, {Source(Values({4}, {5, 5, 5, 5}))}, {4}, {0.25, 0.25, 0.25, 0.25});
  Expect(Softmax{1}, {Source(Values({3, 2}, {0, -1000, 7, 7, 1000, 0}))}, {3, 2},
         {1, 0, 0.5, 0.5, 1, 0});
}

TEST_P(OpTest, LogSoftmax) {
  Expect(Softmax{1, true}, {Source(Values({2, 2}, {7, 7, 0, -1000}))}, {2, 2},
         {-std::numbers::ln2, -std::numbers::ln2, 0, -1000});
}

TEST_P(OpTest, SoftmaxOverAnAxisInTheMiddle) {
  Expect(Softmax{1}, {Source(Values({1, 2, 2}, {1, 5, 1, 1005}))}, {1, 2, 2}, {0.5, 0, 0.5, 1});
}

TEST_P(OpTest, SoftmaxOverTheFirstAxis) {
  Expect(Softmax{0}, {Source(Values({2, 2}, {1, 5, 1, 1005}))}, {2, 2}, {0.5, 0, 0.5, 1});
}

TEST_P(OpTest, SoftmaxOverAnAxisOfOne) {
  Expect(Softmax{1}, {Source(Count({3, 1, 2}))}, {3, 1, 2}, {1, 1, 1, 1, 1, 1});
}

TEST_P(OpTest, SoftmaxSpreadsNanOverItsRow) {
  const OpInput src = Source(Values({2, 2}, {kNan, 1, 2, 2}));
  Expect(Softmax{1}, {src}, {2, 2}, {kNan, kNan, 0.5, 0.5});
  Expect(Softmax{1, true}, {src}, {2, 2}, {kNan, kNan, -std::numbers::ln2, -std::numbers::ln2});
  Expect(Softmax{0}, {src}, {2, 2},
         {kNan, 1 / (1 + std::numbers::e), kNan, std::numbers::e / (1 + std::numbers::e)});
}

TEST_P(OpTest, SoftmaxOfMinusInfinity) {
  const OpInput src = Source(Values({2, 2}, {-kInfinity, 3, -kInfinity, -kInfinity}));
  Expect(Softmax{1}, {src}, {2, 2}, {0, 1, kNan, kNan});
  Expect(Softmax{1, true}, {src}, {2, 2}, {-kInfinity, 0, kNan, kNan});
}

TEST_P(OpTest, SoftmaxOfInfinity) {
  Expect(Softmax{1}, {Source(Values({1, 3}, {kInfinity, 3, 0}))}, {1, 3}, {kNan, kNan, kNan});
}

}  // namespace
}  // namespace lazynet::backend
