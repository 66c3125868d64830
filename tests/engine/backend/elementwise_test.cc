#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

using enum Eltwise::Algorithm;

using testing::ValuesOf;

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
      {{kCelu, 2}, {-kInfinity, -100, 0, 3}, {-2, -2, 0, 3}},
      {{kLogSigmoid}, {-kInfinity, -100, 0, 100}, {-kInfinity, -100, -std::numbers::ln2, 0}},
      {{kSoftsign}, {-3, 0, 1, kInfinity}, {-0.75, 0, 0.5, kNan}},
      {{kHardshrink, 1}, {-2, -1, 0, 1, 2, kNan}, {-2, 0, 0, 0, 2, kNan}},
      {{kSoftshrink, 1}, {-3, -1, 0, 1, 3, kNan}, {-2, 0, 0, 0, 2, 0}},
      {{kThreshold, 1, -5}, {0, 1, 2, kNan}, {-5, -5, 2, kNan}},
      {{kAbs}, {-2, 3, -kInfinity}, {2, 3, kInfinity}},
      {{kNegate}, {-2, 3, kInfinity}, {2, -3, -kInfinity}},
      {{kSign}, {-2, 0, 3, kNan}, {-1, 0, 1, 0}},
      {{kExp},
       {-kInfinity, -1000, 0, 1, 1000, kInfinity},
       {0, 0, 1, std::numbers::e, kInfinity, kInfinity}},
      {{kLog}, {-1, 0, 1, kInfinity}, {kNan, -kInfinity, 0, kInfinity}},
      {{kLog2}, {8, 0.5}, {3, -1}},
      {{kLog10}, {1000, 1}, {3, 0}},
      {{kExpm1}, {0, -100, 1e-6f}, {0, -1, 1.0000005e-6}},
      {{kLog1p}, {0, -1, 1e-6f}, {0, -kInfinity, 0.9999995e-6}},
      {{kSqrt}, {0, 9, -1, kInfinity}, {0, 3, kNan, kInfinity}},
      {{kRsqrt}, {0, 4, -1, kInfinity}, {kInfinity, 0.5, kNan, 0}},
      {{kReciprocal}, {0, 4, -2, kInfinity}, {kInfinity, 0.25, -0.5, 0}},
      {{kFloor}, {-1.5f, 1.5f, 2}, {-2, 1, 2}},
      {{kCeil}, {-1.5f, 1.5f, 2}, {-1, 2, 2}},
      {{kRound}, {-1.5f, -0.5f, 0.5f, 1.5f, 2.5f}, {-2, 0, 0, 2, 2}},
      {{kTrunc}, {-1.5f, 1.5f, 2}, {-1, 1, 2}},
      {{kSin}, {0, kInfinity}, {0, kNan}},
      {{kCos}, {0, kInfinity}, {1, kNan}},
      {{kTan}, {0}, {0}},
      {{kAtan}, {0, kInfinity}, {0, std::numbers::pi / 2}},
      {{kErf}, {0, 100, -100}, {0, 1, -1}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(static_cast<int>(test.op.algorithm));
    const Shape shape = {static_cast<int64_t>(test.src.size())};
    Expect(test.op, {Source(Values(shape, test.src))}, shape, test.dst);
  }
}

// 0.1 in FP32 is more than in FP64, -0.1 less.
TEST_P(OpTest, EltwiseRoundsItsNumbersToTheDType) {
  const auto expect = [&](const Eltwise& op, float src, float dst) {
    SCOPED_TRACE(static_cast<int>(op.algorithm));
    ExpectElements<float>(op, {Source(Values({1}, {src}))}, {1}, DType::kFp32, {dst});
  };
  expect({kHardshrink, 0.1}, 0.1f, 0);
  expect({kHardshrink, 0.1}, -0.1f, 0);
  expect({kSoftshrink, 0.1}, 0.1f, 0);
  expect({kSoftshrink, 0.1}, -0.1f, 0);
  expect({kThreshold, 0.1, 20}, 0.1f, 20);
  expect({kSoftplus, 1, 0.1}, 0.1f, static_cast<float>(std::log1p(std::exp(double{0.1f}))));
  expect({kClamp, 0.1, 0.1}, 3, 0.1f);
}

TEST_P(OpTest, EltwiseLetsNanThrough) {
  for (int algorithm = 0; algorithm <= static_cast<int>(kErf); ++algorithm) {
    SCOPED_TRACE(algorithm);
    if (algorithm == static_cast<int>(kSoftshrink) || algorithm == static_cast<int>(kSign))
      continue;
    const Eltwise op = {static_cast<Eltwise::Algorithm>(algorithm), 1, 20};
    // As many as vector kernels take at once and more, so that their tails are tried too.
    Expect(op, {Source(Count({3, 7}, kNan))}, {3, 7}, std::vector<double>(21, kNan));
  }
}

TEST_P(OpTest, EltwiseOfAScalar) {
  Expect(Eltwise{kRelu}, {Source(Values({}, {-2}))}, {}, {0}, Compare::kEqual);
}

TEST_P(OpTest, ExpOfEveryMagnitude) {
  std::vector<float> src;
  std::vector<double> dst;
  for (float x = -110; x < 95; x += 0.37f) {
    src.push_back(x);
    dst.push_back(static_cast<float>(std::exp(double{x})));
  }
  const Shape shape = {static_cast<int64_t>(src.size())};
  const auto result = testing::RunOp(backend(), Eltwise{kExp}, {Source(Values(shape, src))}, shape);
  ASSERT_TRUE(result.ok()) << result.status();
  for (size_t i = 0; i < src.size(); ++i) {
    const double got = result->dst.values<float>()[i];
    if (std::isinf(dst[i])) {
      EXPECT_EQ(got, dst[i]) << src[i];
    } else {
      // The second term is the step of the smallest floats.
      EXPECT_NEAR(got, dst[i], 2e-6 * dst[i] + 3e-45) << src[i];
    }
  }
}

TEST_P(OpTest, EltwiseOfIntegers) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  const Tensor src = ValuesOf<int64_t>(DType::kInt64, {4}, {-3, 0, 7, kLeast});
  const std::pair<Eltwise::Algorithm, std::vector<int64_t>> cases[] = {
      {kAbs, {3, 0, 7, kLeast}}, {kNegate, {3, 0, -7, kLeast}}, {kSign, {-1, 0, 1, -1}}};
  for (const auto& [algorithm, want] : cases) {
    ExpectElements<int64_t>(Eltwise{algorithm}, {Source(src)}, {4}, DType::kInt64, want);
  }
  EXPECT_EQ(testing::RunOp(backend(), Eltwise{kExp}, {Source(src)}, {4}).status().code(),
            absl::StatusCode::kUnimplemented);
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

TEST_P(OpTest, BinaryOfEveryAlgorithm) {
  using enum Binary::Algorithm;
  const OpInput left = Source(Values({4}, {7, -7, 7, -7}));
  const OpInput right = Source(Values({4}, {2, 2, -2, -2}));
  const std::pair<Binary::Algorithm, std::vector<double>> cases[] = {
      {kSub, {5, -9, 9, -5}},
      {kDiv, {3.5, -3.5, -3.5, 3.5}},
      {kMax, {7, 2, 7, -2}},
      {kMin, {2, -7, -2, -7}},
      {kPow, {49, 49, 1.0 / 49, 1.0 / 49}},
      {kFloorDivide, {3, -4, -4, 3}},
      {kRemainder, {1, 1, -1, -1}},
      {kFmod, {1, -1, 1, -1}}};
  for (const auto& [algorithm, want] : cases) {
    SCOPED_TRACE(static_cast<int>(algorithm));
    Expect(Binary{algorithm}, {left, right}, {4}, want);
  }
}

TEST_P(OpTest, BinaryThatDoesNotCommuteBroadcastsEitherSide) {
  const Binary sub = {Binary::Algorithm::kSub};
  const OpInput whole = Source(Count({2, 3}));
  const OpInput row = Source(Count({3}, 10, 10));
  Expect(sub, {whole, row}, {2, 3}, {-10, -19, -28, -7, -16, -25});
  Expect(sub, {row, whole}, {2, 3}, {10, 19, 28, 7, 16, 25});
  Expect(sub, {Constant(Values({}, {1})), whole}, {2, 3}, {1, 0, -1, -2, -3, -4});
}

TEST_P(OpTest, MaximumAndMinimumOfNanAreNan) {
  const OpInput left = Source(Values({3}, {kNan, 1, 2}));
  const OpInput right = Source(Values({3}, {1, kNan, 3}));
  Expect(Binary{Binary::Algorithm::kMax}, {left, right}, {3}, {kNan, kNan, 3});
  Expect(Binary{Binary::Algorithm::kMin}, {left, right}, {3}, {kNan, kNan, 2});
}

TEST_P(OpTest, BinaryOfIntegersWraps) {
  using enum Binary::Algorithm;
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const auto expect = [&](Binary::Algorithm algorithm, const std::vector<int64_t>& left,
                          const std::vector<int64_t>& right, const std::vector<int64_t>& want) {
    SCOPED_TRACE(static_cast<int>(algorithm));
    const Shape shape = {static_cast<int64_t>(want.size())};
    ExpectElements<int64_t>(Binary{algorithm},
                            {Source(ValuesOf<int64_t>(DType::kInt64, shape, left)),
                             Source(ValuesOf<int64_t>(DType::kInt64, shape, right))},
                            shape, DType::kInt64, want);
  };
  expect(kAdd, {1, kMost}, {2, 1}, {3, kLeast});
  expect(kSub, {1, kLeast}, {2, 1}, {-1, kMost});
  expect(kMul, {-3, kMost}, {5, 2}, {-15, -2});
  expect(kMax, {-3, 4}, {5, 2}, {5, 4});
  expect(kMin, {-3, 4}, {5, 2}, {-3, 2});
  expect(kDiv, {7, -7, 7, -7, kLeast}, {2, 2, -2, -2, -1}, {3, -3, -3, 3, kLeast});
  expect(kFloorDivide, {7, -7, 7, -7, 6, kLeast}, {2, 2, -2, -2, -2, -1},
         {3, -4, -4, 3, -3, kLeast});
  expect(kRemainder, {7, -7, 7, -7, kLeast}, {2, 2, -2, -2, -1}, {1, 1, -1, -1, 0});
  expect(kFmod, {7, -7, 7, -7, kLeast}, {2, 2, -2, -2, -1}, {1, -1, 1, -1, 0});
  expect(kPow, {2, -2, 0, 3, 1, -1, -1, 5, 0}, {10, 3, 0, 41, -2, -2, -3, -1, -1},
         {1024, -8, 1, static_cast<int64_t>(18026252303461234787u), 1, 1, -1, 0, 0});
}

TEST_P(OpTest, IntegersAreNotDividedByZero) {
  using enum Binary::Algorithm;
  const OpInput left = Source(ValuesOf<int64_t>(DType::kInt64, {2}, {1, 2}));
  const Tensor right = ValuesOf<int64_t>(DType::kInt64, {2}, {1, 0});
  for (const Binary::Algorithm algorithm : {kDiv, kFloorDivide, kRemainder, kFmod}) {
    for (const OpInput& divisor : {Source(right), Constant(right)}) {
      const auto result = testing::RunOp(backend(), Binary{algorithm}, {left, divisor}, {2});
      EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(result.status().message(),
                "layer \"op\": wants integer divisors that are not 0, got 0");
    }
  }
}

TEST_P(OpTest, ComparisonsGiveBools) {
  using enum Binary::Algorithm;
  const std::pair<Binary::Algorithm, std::vector<uint8_t>> cases[] = {
      {kEqual, {0, 1, 0, 0}},       {kNotEqual, {1, 0, 1, 1}}, {kLess, {1, 0, 0, 0}},
      {kLessOrEqual, {1, 1, 0, 0}}, {kGreater, {0, 0, 1, 0}},  {kGreaterOrEqual, {0, 1, 1, 0}}};
  for (const auto& [algorithm, want] : cases) {
    SCOPED_TRACE(static_cast<int>(algorithm));
    const Binary op = {algorithm};
    ExpectElements<uint8_t>(op, {Source(Values({4}, {1, 2, 3, kNan})), Source(Values({}, {2}))},
                            {4}, DType::kBool, want);
    ExpectElements<uint8_t>(
        op, {Source(testing::Values64({4}, {1, 2, 3, kNan})), Source(testing::Values64({1}, {2}))},
        {4}, DType::kBool, want);
    ExpectElements<uint8_t>(op,
                            {Source(ValuesOf<int64_t>(DType::kInt64, {3}, {1, 2, 3})),
                             Constant(ValuesOf<int64_t>(DType::kInt64, {}, {2}))},
                            {3}, DType::kBool, {want.begin(), want.begin() + 3});
    ExpectElements<uint8_t>(op,
                            {Source(ValuesOf<uint8_t>(DType::kBool, {3}, {0, 1, 1})),
                             Source(ValuesOf<uint8_t>(DType::kBool, {3}, {1, 1, 0}))},
                            {3}, DType::kBool, {want.begin(), want.begin() + 3});
  }
}

TEST_P(OpTest, LogicOfBools) {
  using enum Binary::Algorithm;
  // What a request calls BOOL may be any byte.
  const OpInput left = Source(ValuesOf<uint8_t>(DType::kBool, {4}, {0, 0, 2, 1}));
  const OpInput right = Source(ValuesOf<uint8_t>(DType::kBool, {4}, {0, 1, 0, 255}));
  ExpectElements<uint8_t>(Binary{kAnd}, {left, right}, {4}, DType::kBool, {0, 0, 0, 1});
  ExpectElements<uint8_t>(Binary{kOr}, {left, right}, {4}, DType::kBool, {0, 1, 1, 1});
  ExpectElements<uint8_t>(Binary{kXor}, {left, right}, {4}, DType::kBool, {0, 1, 1, 0});
  ExpectElements<uint8_t>(Binary{kEqual}, {left, right}, {4}, DType::kBool, {1, 0, 0, 1});
}

TEST_P(OpTest, BinaryRefusesWhatTheOpDoesNotName) {
  const Tensor ints = ValuesOf<int32_t>(DType::kInt32, {1}, {1});
  const Tensor bools = ValuesOf<uint8_t>(DType::kBool, {1}, {1});
  const auto refused = [&](Binary::Algorithm algorithm, const Tensor& a, const Tensor& b) {
    return testing::RunOp(backend(), Binary{algorithm}, {Source(a), Source(b)}, {1})
        .status()
        .code();
  };
  using enum Binary::Algorithm;
  EXPECT_EQ(refused(kAdd, ints, ints), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(refused(kAdd, bools, bools), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(refused(kAdd, Values({1}, {1}), ints), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace lazynet::backend
