#include <limits>
#include <numbers>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

using enum Eltwise::Algorithm;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST_P(OpTest, EltwiseOfCertainValues) {
  struct Case {
    Eltwise op;
    std::vector<float> src;
    std::vector<double> dst;
  };
  const Case cases[] = {
      {{kRelu}, {-2, 0, 3, -kInfinity, kInfinity}, {0, 0, 3, 0, kInfinity}},
      {{kClamp, -1, 2}, {-2, -1, 0, 2, 3, kInfinity}, {-1, -1, 0, 2, 2, 2}},
      {{kLeakyRelu, 0.5}, {-4, 0, 4}, {-2, 0, 4}},
      {{kElu, 2}, {-kInfinity, -100, 0, 3}, {-2, -2, 0, 3}},
      {{kGeluErf}, {-100, 0, 100}, {0, 0, 100}},
      {{kGeluTanh}, {-100, 0, 100}, {0, 0, 100}},
      {{kSilu}, {-100, 0, 100}, {0, 0, 100}},
      {{kMish}, {-100, 0, 100}, {0, 0, 100}},
      {{kHardswish}, {-4, -3, -1, 0, 1, 3, 4}, {0, 0, -1.0 / 3, 0, 2.0 / 3, 3, 4}},
      {{kHardsigmoid}, {-4, -3, 0, 1.5, 3, 4}, {0, 0, 0.5, 0.75, 1, 1}},
      {{kSigmoid}, {-kInfinity, -100, 0, 100}, {0, 0, 0.5, 1}},
      {{kTanh}, {-kInfinity, -100, 0, 100}, {-1, -1, 0, 1}},
      {{kSoftplus, 1, 20}, {-100, 0, 30}, {0, std::numbers::ln2, 30}},
      {{kSoftplus, 2, 3}, {0, 2}, {std::numbers::ln2 / 2, 2}},
      {{kLinear, -2, 3}, {-2, 0, 3, kInfinity}, {7, 3, -3, -kInfinity}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(static_cast<int>(test.op.algorithm));
    const Shape shape = {static_cast<int64_t>(test.src.size())};
    Expect(test.op, {Source(Values(shape, test.src))}, shape, test.dst);
  }
}

TEST_P(OpTest, EltwiseLetsNanThrough) {
  for (int algorithm = 0; algorithm <= static_cast<int>(kLinear); ++algorithm) {
    SCOPED_TRACE(algorithm);
    const Eltwise op = {static_cast<Eltwise::Algorithm>(algorithm), 1, 20};
    // As many as vector kernels take at once and more, so that their tails are tried too.
    Expect(op, {Source(Count({3, 7}, kNan))}, {3, 7}, std::vector<double>(21, kNan));
  }
}

TEST_P(OpTest, EltwiseOfAScalar) {
  Expect(Eltwise{kRelu}, {Source(Values({}, {-2}))}, {}, {0}, Compare::kEqual);
}

TEST_P(OpTest, PreluWithOneSlope) {
  const OpInput slope = Constant(Values({1}, {0.5}));
  Expect(Prelu{}, {Source(Values({3}, {-2, 0, 3})), slope}, {3}, {-1, 0, 3});
  Expect(Prelu{}, {Source(Values({3, 1, 2}, {-2, 2, -4, 4, -6, kNan})), slope}, {3, 1, 2},
         {-1, 2, -2, 4, -3, kNan});
  Expect(Prelu{}, {Source(Values({1, 3, 1, 1}, {-2, -4, 6})), slope}, {1, 3, 1, 1}, {-1, -2, 6});
}

TEST_P(OpTest, PreluWithASlopePerChannel) {
  const OpInput slopes = Constant(Values({2}, {10, -1}));
  Expect(Prelu{}, {Source(Values({2, 2, 2}, {-1, 1, -2, 2, -3, 3, -4, -5})), slopes}, {2, 2, 2},
         {-10, 1, 2, 2, -30, 3, 4, 5});
  Expect(Prelu{}, {Source(Values({3, 2}, {-1, -1, 1, 1, kNan, kNan})), slopes}, {3, 2},
         {-10, 1, 1, 1, kNan, kNan});
  Expect(Prelu{}, {Source(Values({1, 2, 1, 1, 2, 1}, {-1, 1, -2, 2})), slopes}, {1, 2, 1, 1, 2, 1},
         {-10, 1, 2, 2});
}

TEST_P(OpTest, BinaryOfEqualShapes) {
  const OpInput left = Source(Count({2, 2}, 1));
  const OpInput right = Source(Count({2, 2}, 10, 10));
  Expect(Binary{Binary::Algorithm::kAdd}, {left, right}, {2, 2}, {11, 22, 33, 44});
  Expect(Binary{Binary::Algorithm::kMul}, {left, right}, {2, 2}, {10, 40, 90, 160});
}

TEST_P(OpTest, BinaryBroadcasts) {
  struct Case {
    Tensor left;
    Tensor right;
    Shape shape;
    std::vector<double> sums;
  };
  const Case cases[] = {
      {Count({2, 3}), Count({3}, 10, 10), {2, 3}, {10, 21, 32, 13, 24, 35}},
      {Count({2, 3}), Count({2, 1}, 10, 10), {2, 3}, {10, 11, 12, 23, 24, 25}},
      {Count({2, 1}), Count({1, 3}, 10, 10), {2, 3}, {10, 20, 30, 11, 21, 31}},
      {Count({1, 2, 1, 2}), Count({2, 1, 1}, 10, 10), {1, 2, 1, 2}, {10, 11, 22, 23}},
      {Count({2, 1, 2}), Count({2, 1}, 10, 10), {2, 2, 2}, {10, 11, 20, 21, 12, 13, 22, 23}},
      {Count({2, 2}), Values({1}, {10}), {2, 2}, {10, 11, 12, 13}},
      {Count({3}), Values({}, {10}), {3}, {10, 11, 12}},
      {Values({}, {1}), Values({}, {10}), {}, {11}},
      {Count({1, 1}), Values({1}, {10}), {1, 1}, {10}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.left.shape().ToString() + " + " + test.right.shape().ToString());
    const Binary add = {Binary::Algorithm::kAdd};
    Expect(add, {Source(test.left), Source(test.right)}, test.shape, test.sums);
    Expect(add, {Source(test.right), Source(test.left)}, test.shape, test.sums);
    Expect(add, {Source(test.left), Constant(test.right)}, test.shape, test.sums);
    Expect(add, {Constant(test.right), Source(test.left)}, test.shape, test.sums);
  }
}

TEST_P(OpTest, BinaryOfSpecialValues) {
  const OpInput left = Source(Values({4}, {kNan, kInfinity, kInfinity, 1}));
  const OpInput right = Source(Values({4}, {1, -kInfinity, 0, kNan}));
  Expect(Binary{Binary::Algorithm::kAdd}, {left, right}, {4}, {kNan, kNan, kInfinity, kNan});
  Expect(Binary{Binary::Algorithm::kMul}, {left, right}, {4}, {kNan, -kInfinity, kNan, kNan});
}

}  // namespace
}  // namespace lazynet::backend
