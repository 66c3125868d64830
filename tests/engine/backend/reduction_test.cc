#include <limits>
#include <numeric>

#include "tests/engine/backend/op_test.h"

namespace lazynet::backend {
namespace {

using testing::ValuesOf;
using enum Reduction::Algorithm;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST_P(OpTest, ReductionOfEachAlgorithm) {
  const OpInput src = Source(Values({2, 3}, {1, -2, 4, 0, 3, -6}));
  struct Case {
    Reduction op;
    std::vector<double> rows;     // of axis 1
    std::vector<double> columns;  // of axis 0
  };
  const Case cases[] = {
      {{kSum}, {3, -3}, {1, 1, -2}},
      {{kMean}, {1, -1}, {0.5, 0.5, -1}},
      {{kProd}, {-8, 0}, {0, -6, -24}},
      {{kMax}, {4, 3}, {1, 3, 4}},
      {{kMin}, {-2, -6}, {0, -2, -6}},
      {{kVariance}, {9, 21}, {0.5, 12.5, 50}},
      {{kVariance, {}, 2, 0}, {6, 14}, {0.25, 6.25, 25}},
      {{kNorm, {}, 1}, {7, 9}, {1, 5, 10}},
      {{kNorm, {}, 2},
       {4.58257569495584, 6.70820393249937},
       {1, 3.60555127546399, 7.21110255092798}},
      {{kNorm, {}, kInfinity}, {4, 6}, {1, 3, 6}},
      {{kNorm, {}, -kInfinity}, {1, 0}, {0, 2, 4}},
      {{kNorm, {}, 0}, {3, 2}, {1, 2, 2}},
  };
  for (Case test : cases) {
    SCOPED_TRACE(static_cast<int>(test.op.algorithm));
    test.op.axes = {1};
    Expect(test.op, {src}, {2, 1}, test.rows);
    Expect(test.op, {src}, {2}, test.rows);
    test.op.axes = {0};
    Expect(test.op, {src}, {1, 3}, test.columns);
  }
}

TEST_P(OpTest, ReductionOverSomeAllAndNoAxes) {
  const OpInput src = Source(Count({2, 3, 4}));
  Expect(Reduction{kSum, {0, 2}}, {src}, {1, 3, 1}, {60, 92, 124});
  Expect(Reduction{kSum, {0, 1, 2}}, {src}, {}, {276});
  Expect(Reduction{kMax, {1, 2}}, {src}, {2}, {11, 23});
  Expect(Reduction{kSum, {}}, {Source(Count({2, 2}))}, {2, 2}, {0, 1, 2, 3});
  Expect(Reduction{kMean, {}}, {Source(Values({}, {7}))}, {}, {7});
}

// More than the vectors of a kernel, and no multiple of them.
TEST_P(OpTest, ReductionOfLongRowsAndColumns) {
  std::vector<double> columns(77);
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<double>(6 * i + 77 * 15);
  Expect(Reduction{kSum, {0}}, {Source(Count({6, 77}))}, {77}, columns);
  Expect(Reduction{kSum, {1}}, {Source(Count({1, 77}))}, {1}, {77 * 38});
  Expect(Reduction{kMin, {1}}, {Source(Count({1, 77}, 80, -1))}, {1}, {4});
}

TEST_P(OpTest, ReductionSpreadsNan) {
  for (const Reduction::Algorithm algorithm :
       {kSum, kMean, kProd, kMax, kMin, kVariance, kNorm, kLogSumExp}) {
    SCOPED_TRACE(static_cast<int>(algorithm));
    for (size_t at : {size_t{0}, size_t{1}, size_t{39}}) {
      std::vector<float> values(40, 1);
      values[at] = kNan;
      Expect(Reduction{algorithm, {0}}, {Source(Values({40}, values))}, {}, {kNan});
      Expect(Reduction{algorithm, {0}}, {Source(Values({40, 1}, values))}, {1, 1}, {kNan});
    }
  }
}

TEST_P(OpTest, ReductionOfInfinities) {
  const OpInput src =
      Source(Values({3, 2}, {kInfinity, 1, -kInfinity, -kInfinity, kInfinity, -kInfinity}));
  Expect(Reduction{kSum, {1}}, {src}, {3}, {kInfinity, -kInfinity, kNan});
  Expect(Reduction{kMax, {1}}, {src}, {3}, {kInfinity, -kInfinity, kInfinity});
  Expect(Reduction{kLogSumExp, {1}}, {src}, {3}, {kInfinity, -kInfinity, kInfinity});
}

TEST_P(OpTest, VarianceOfTooFewElements) {
  const OpInput one = Source(Values({1}, {3}));
  Expect(Reduction{kVariance, {0}, 2, 1}, {one}, {}, {kNan});
  Expect(Reduction{kVariance, {0}, 2, 0}, {one}, {}, {0});
  Expect(Reduction{kVariance, {0}, 2, 3}, {Source(Values({2}, {1, 2}))}, {}, {kInfinity});
}

TEST_P(OpTest, ReductionOfNothing) {
  const OpInput none = Source(Count({0, 2}));
  Expect(Reduction{kSum, {0}}, {none}, {2}, {0, 0});
  Expect(Reduction{kProd, {0}}, {none}, {2}, {1, 1});
  Expect(Reduction{kMean, {0}}, {none}, {2}, {kNan, kNan});
  Expect(Reduction{kVariance, {0}}, {none}, {2}, {kNan, kNan});
  Expect(Reduction{kNorm, {0, 1}}, {none}, {}, {0});
  Expect(Reduction{kLogSumExp, {0}}, {none}, {1, 2}, {-kInfinity, -kInfinity});
}

TEST_P(OpTest, ReductionOfIntegersAndBools) {
  const OpInput src = Source(
      ValuesOf<int64_t>(DType::kInt64, {2, 2}, {std::numeric_limits<int64_t>::max(), 1, -3, 5}));
  const auto expect = [&](Reduction::Algorithm algorithm, const std::vector<int64_t>& want) {
    ExpectElements<int64_t>(Reduction{algorithm, {1}}, {src}, {2}, DType::kInt64, want);
  };
  expect(kSum, {std::numeric_limits<int64_t>::min(), 2});
  expect(kProd, {std::numeric_limits<int64_t>::max(), -15});
  expect(kMax, {std::numeric_limits<int64_t>::max(), 5});
  expect(kMin, {1, -3});
  EXPECT_EQ(testing::RunOp(backend(), Reduction{kMean, {1}}, {src}, {2}).status().code(),
            absl::StatusCode::kUnimplemented);

  const OpInput bools = Source(ValuesOf<uint8_t>(DType::kBool, {3, 2}, {0, 0, 0, 2, 1, 1}));
  ExpectElements<uint8_t>(Reduction{kMax, {1}}, {bools}, {3}, DType::kBool, {0, 1, 1});
  ExpectElements<uint8_t>(Reduction{kMin, {1}}, {bools}, {3}, DType::kBool, {0, 0, 1});
  const OpInput none = Source(ValuesOf<uint8_t>(DType::kBool, {0}, {}));
  ExpectElements<uint8_t>(Reduction{kMax, {0}}, {none}, {}, DType::kBool, {0});
  ExpectElements<uint8_t>(Reduction{kMin, {0}}, {none}, {}, DType::kBool, {1});
}

TEST_P(OpTest, WhereChoosesAndBroadcasts) {
  const OpInput condition = Source(ValuesOf<uint8_t>(DType::kBool, {2, 1}, {0, 2}));
  const OpInput scalar = Constant(Values({}, {kNan}));
  ExpectElements<float>(Where{}, {condition, Source(Count({2, 3})), Source(Count({3}, 10, 10))},
                        {2, 3}, DType::kFp32, {10, 20, 30, 3, 4, 5});
  ExpectElements<float>(Where{}, {condition, Source(Count({1, 3})), Source(Count({2, 1}, 7))},
                        {2, 3}, DType::kFp32, {7, 7, 7, 0, 1, 2});
  ExpectElements<int64_t>(Where{},
                          {condition, Source(ValuesOf<int64_t>(DType::kInt64, {2, 1}, {1, 2})),
                           Source(ValuesOf<int64_t>(DType::kInt64, {}, {3}))},
                          {2, 1}, DType::kInt64, {3, 2});
  ExpectElements<uint16_t>(Where{},
                           {condition, Source(ValuesOf<uint16_t>(DType::kFp16, {2, 1}, {1, 2})),
                            Source(ValuesOf<uint16_t>(DType::kFp16, {1}, {3}))},
                           {2, 1}, DType::kFp16, {3, 2});
  // The element that is not chosen does not show, NaN or not.
  const OpInput yes = Constant(ValuesOf<uint8_t>(DType::kBool, {}, {1}));
  ExpectElements<float>(Where{}, {yes, Source(Count({2})), scalar}, {2}, DType::kFp32, {0, 1});
}

TEST_P(OpTest, ArgReductionGivesTheFirstOfEquals) {
  using enum ArgReduction::Algorithm;
  const OpInput src = Source(Values({2, 4}, {1, 3, 3, -2, 5, 5, -7, -7}));
  ExpectElements<int64_t>(ArgReduction{kMax, 1}, {src}, {2}, DType::kInt64, {1, 0});
  ExpectElements<int64_t>(ArgReduction{kMin, 1}, {src}, {2, 1}, DType::kInt64, {3, 2});
  ExpectElements<int64_t>(ArgReduction{kMax, 0}, {src}, {4}, DType::kInt64, {1, 1, 0, 0});
  const OpInput ints = Source(ValuesOf<int64_t>(DType::kInt64, {3}, {4, 9, 9}));
  ExpectElements<int64_t>(ArgReduction{kMax, 0}, {ints}, {}, DType::kInt64, {1});
}

TEST_P(OpTest, ArgReductionGivesTheFirstNan) {
  using enum ArgReduction::Algorithm;
  const OpInput src = Source(Values({2, 4}, {1, kNan, kNan, kInfinity, kNan, -kInfinity, 0, kNan}));
  ExpectElements<int64_t>(ArgReduction{kMax, 1}, {src}, {2}, DType::kInt64, {1, 0});
  ExpectElements<int64_t>(ArgReduction{kMin, 1}, {src}, {2}, DType::kInt64, {1, 0});
}

TEST_P(OpTest, TopKGivesValuesAndIndices) {
  using enum TopK::Output;
  const OpInput src = Source(Values({2, 4}, {1, kNan, 3, 3, -kInfinity, 2, kNan, 0}));
  const auto expect = [&](TopK op, const Shape& shape, const std::vector<int64_t>& indices,
                          const std::vector<double>& values) {
    op.output = kIndices;
    ExpectElements<int64_t>(op, {src}, shape, DType::kInt64, indices);
    op.output = kValues;
    Expect(op, {src}, shape, values, Compare::kEqual);
  };
  expect({1, true}, {2, 3}, {1, 2, 3, 2, 1, 3}, {kNan, 3, 3, kNan, 2, 0});
  expect({1, false}, {2, 3}, {0, 2, 3, 0, 3, 1}, {1, 3, 3, -kInfinity, 0, 2});
  expect({1, false}, {2, 4}, {0, 2, 3, 1, 0, 3, 1, 2}, {1, 3, 3, kNan, -kInfinity, 0, 2, kNan});
  expect({0, true}, {1, 4}, {0, 0, 1, 0}, {1, kNan, kNan, 3});
}

TEST_P(OpTest, TopKOfIntegersKeepsTheOrderOfEquals) {
  const OpInput src = Source(ValuesOf<int64_t>(DType::kInt64, {5}, {2, 1, 2, 1, 2}));
  ExpectElements<int64_t>(TopK{0, true, TopK::Output::kIndices}, {src}, {5}, DType::kInt64,
                          {0, 2, 4, 1, 3});
  ExpectElements<int64_t>(TopK{0, false, TopK::Output::kIndices}, {src}, {5}, DType::kInt64,
                          {1, 3, 0, 2, 4});
  ExpectElements<int64_t>(TopK{0, true, TopK::Output::kValues}, {src}, {2}, DType::kInt64, {2, 2});
}

TEST_P(OpTest, CumsumAddsUpAlongAnAxis) {
  const OpInput src = Source(Count({2, 3}));
  Expect(Cumsum{1}, {src}, {2, 3}, {0, 1, 3, 3, 7, 12});
  Expect(Cumsum{0}, {src}, {2, 3}, {0, 1, 2, 3, 5, 7});
  Expect(Cumsum{0}, {Source(Values({3}, {1, kNan, 2}))}, {3}, {1, kNan, kNan});
  const OpInput ints =
      Source(ValuesOf<int64_t>(DType::kInt64, {2}, {std::numeric_limits<int64_t>::max(), 1}));
  ExpectElements<int64_t>(
      Cumsum{0}, {ints}, {2}, DType::kInt64,
      {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()});
}

// In single precision the small ones would be lost.
TEST_P(OpTest, CumsumAddsUpInDouble) {
  Expect(Cumsum{0}, {Source(Values({4}, {0x1p24f, 1, 1, 1}))}, {4},
         {0x1p24, 0x1p24 + 1, 0x1p24 + 2, 0x1p24 + 3});
}

}  // namespace
}  // namespace lazynet::backend
