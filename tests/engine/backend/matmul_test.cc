#include <limits>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST_P(OpTest, MatMul) {
  const Tensor left = Count({2, 3}, 1);
  const Tensor right = Count({3, 2}, 1);
  for (const bool constant : {false, true}) {
    Expect(MatMul{}, {{left, constant}, Source(right)}, {2, 2}, {22, 28, 49, 64});
    Expect(MatMul{}, {{left, constant}, Constant(right)}, {2, 2}, {22, 28, 49, 64});
  }
}

TEST_P(OpTest, MatMulOfIntegersWraps) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const OpInput left = Source(testing::ValuesOf<int64_t>(DType::kInt64, {2, 2}, {1, 2, kMost, 1}));
  const OpInput right = Source(testing::ValuesOf<int64_t>(DType::kInt64, {2, 2}, {5, -3, 7, 2}));
  const auto expect = [&](const MatMul& op, const std::vector<int64_t>& want) {
    ExpectElements<int64_t>(op, {left, right}, {2, 2}, DType::kInt64, want);
  };
  expect(MatMul{}, {19, 1, kLeast + 2, kLeast + 5});
  expect(MatMul{true}, {-1, 11, kMost - 7, kMost - 4});
}

TEST_P(OpTest, MatMulTimesANumber) {
  Expect(MatMul{false, -0.5}, {Source(Count({1, 2}, 2)), Source(Count({2, 1}, 1))}, {1, 1}, {-4});
}

TEST_P(OpTest, MatMulByATransposedMatrix) {
  Expect(MatMul{true}, {Source(Count({1, 3}, 1)), Source(Count({2, 3}, 1))}, {1, 2}, {14, 32});
  Expect(MatMul{true}, {Source(Count({1, 3}, 1)), Constant(Count({2, 3}, 1))}, {1, 2}, {14, 32});
}

TEST_P(OpTest, MatMulStretchesBatchAxes) {
  const OpInput left = Source(Values({2, 1, 1, 1}, {2, 3}));
  Expect(MatMul{}, {left, Source(Values({1, 3, 1, 1}, {5, 7, 11}))}, {2, 3, 1, 1},
         {10, 14, 22, 15, 21, 33});
  Expect(MatMul{}, {left, Constant(Values({1, 3, 1, 1}, {5, 7, 11}))}, {2, 3, 1, 1},
         {10, 14, 22, 15, 21, 33});
}

TEST_P(OpTest, MatMulLetsNanAndInfinityThrough) {
  const OpInput right = Source(Values({2, 2}, {0, 1, 1, 0}));
  Expect(MatMul{}, {Source(Values({3, 2}, {kNan, 1, kInfinity, 1, 1, -kInfinity})), right}, {3, 2},
         {kNan, kNan, kNan, kInfinity, -kInfinity, kNan});
  Expect(MatMul{false, 0}, {Source(Values({1, 2}, {kNan, 1})), right}, {1, 2}, {kNan, kNan});
}

TEST_P(OpTest, InnerProductLetsNanAndInfinityThrough) {
  const OpInput weights = Constant(Values({2, 2}, {0, 1, 1, 0}));
  Expect(InnerProduct{},
         {Source(Values({3, 2}, {kNan, 1, kInfinity, 1, 1, -kInfinity})), weights, Absent()},
         {3, 2}, {kNan, kNan, kNan, kInfinity, -kInfinity, kNan});
}

}  // namespace
}  // namespace lazynet::backend
