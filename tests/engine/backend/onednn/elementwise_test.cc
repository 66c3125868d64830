#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::Binary;
using backend::Eltwise;
using backend::Prelu;
using Algorithm = Eltwise::Algorithm;

const Eltwise kFunctions[] = {
    {Algorithm::kRelu, 0, 0},       {Algorithm::kClamp, 0, 6},
    {Algorithm::kClamp, -1, 1},     {Algorithm::kClamp, 1, 2},
    {Algorithm::kClamp, -2, -1},    {Algorithm::kLeakyRelu, 0.01, 0},
    {Algorithm::kLeakyRelu, 0, 0},  {Algorithm::kLeakyRelu, -0.5, 0},
    {Algorithm::kElu, 1, 0},        {Algorithm::kElu, 1.7, 0},
    {Algorithm::kGeluErf, 0, 0},    {Algorithm::kGeluTanh, 0, 0},
    {Algorithm::kSilu, 0, 0},       {Algorithm::kMish, 0, 0},
    {Algorithm::kHardswish, 0, 0},  {Algorithm::kHardsigmoid, 0, 0},
    {Algorithm::kSigmoid, 0, 0},    {Algorithm::kTanh, 0, 0},
    {Algorithm::kSoftplus, 1, 20},  {Algorithm::kLinear, -0.5, 2},
    {Algorithm::kSoftplus, 2, 20},  {Algorithm::kSoftplus, 1, 3},
    {Algorithm::kLogSigmoid, 0, 0}, {Algorithm::kSoftsign, 0, 0},
    {Algorithm::kHardshrink, 2, 0}, {Algorithm::kSoftshrink, 2, 0},
    {Algorithm::kThreshold, 1, -3}, {Algorithm::kThreshold, 1, 0},
    {Algorithm::kAbs, 0, 0},        {Algorithm::kNegate, 0, 0},
    {Algorithm::kSign, 0, 0},       {Algorithm::kExp, 0, 0},
    {Algorithm::kSqrt, 0, 0},       {Algorithm::kRsqrt, 0, 0},
    {Algorithm::kReciprocal, 0, 0}, {Algorithm::kFloor, 0, 0},
    {Algorithm::kCeil, 0, 0},       {Algorithm::kRound, 0, 0},
    {Algorithm::kTrunc, 0, 0},
};

std::vector<double> Map(const Eltwise& op, const Tensor& src) {
  std::vector<double> result;
  for (const float x : src.values<float>()) result.push_back(EltwiseOf(op, x));
  return result;
}

std::string TraceOf(const Eltwise& op) {
  return fmt::format("algorithm {} alpha {} beta {}", static_cast<int>(op.algorithm), op.alpha,
                     op.beta);
}

TEST(OnednnEltwise, AgreesWithTheFormulasInEveryLayout) {
  for (const Eltwise& op : kFunctions) {
    SCOPED_TRACE(TraceOf(op));
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{3, 7}, Shape{2, 5, 9}, Shape{2, 20, 3, 5},
                               Shape{1, 3, 2, 3, 4}, Shape{2, 1, 2, 1, 2, 1, 3}}) {
      Tensor src = Noise(shape, 1);
      for (float& x : src.mutable_view().values<float>()) x *= 12;
      ExpectInAllLayouts(op, {Source(src)}, shape, Map(op, src), 2e-6, 2e-6);
    }
  }
}

TEST(OnednnEltwise, SpecialValuesAreAsByTheFormulas) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> specials = {NAN, -NAN, inf,   -inf,  0.0f,   -0.0f, 30, -30,    89,
                                       -89, 1e4f, -1e4f, 3e38f, -3e38f, 3,     -3, 1e-40f, -1e-20f};
  // Vectors, their tails and lone elements take different ways through a kernel.
  for (const size_t copies : {size_t{1}, size_t{3}, size_t{16}}) {
    std::vector<float> values;
    for (const float special : specials) values.insert(values.end(), copies, special);
    const Shape shape{static_cast<int64_t>(values.size())};
    const Tensor src = Values(shape, values);
    for (const Eltwise& op : kFunctions) {
      // x^3 leaves the range of a float; the formula goes on in double.
      SCOPED_TRACE(TraceOf(op));
      ExpectInAllLayouts(op, {Source(src)}, shape, Map(op, src), 2e-6, 2e-6);
    }
  }
}

TEST(OnednnEltwise, RareFunctionsAreLeftToTheFallback) {
  for (const auto algorithm : {Algorithm::kSin, Algorithm::kErf, Algorithm::kLog}) {
    const auto result =
        RunArrived(Eltwise{algorithm}, {Source(Noise({5}, 1))}, {5}, Arrival::kDense);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kUnimplemented);
  }
}

TEST(OnednnPrelu, AgreesWithTheFormula) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const Shape& shape : {Shape{3, 7}, Shape{2, 5, 9}, Shape{2, 20, 3, 5}, Shape{1, 3, 2, 3, 4},
                             Shape{2, 32, 4, 4}, Shape{2, 1, 4, 4}}) {
    for (const int64_t slopes : {int64_t{1}, shape.dim(1)}) {
      SCOPED_TRACE(fmt::format("{} slopes {}", shape.ToString(), slopes));
      Tensor src = Noise(shape, 1);
      src.mutable_view().values<float>()[1] = NAN;
      src.mutable_view().values<float>()[2] = -inf;
      const Tensor slope = Noise({slopes}, 2);
      const auto values = src.values<float>();
      const size_t elements = values.size() / static_cast<size_t>(shape.dim(0) * shape.dim(1));
      std::vector<double> want;
      for (size_t i = 0; i < values.size(); ++i) {
        const double x = values[i];
        const size_t channel = i / elements % static_cast<size_t>(shape.dim(1));
        want.push_back(x > 0 ? x : x * slope.values<float>()[slopes == 1 ? 0 : channel]);
      }
      ExpectInAllLayouts(Prelu{}, {Source(src), Constant(slope)}, shape, want, 1e-7);
    }
  }
}

TEST(OnednnPrelu, ASlopeComputedByTheNetworkIsLeftToTheFallback) {
  const auto result = RunArrived(Prelu{}, {Source(Noise({2, 3}, 1)), Source(Noise({3}, 2))}, {2, 3},
                                 Arrival::kDense);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnimplemented);
}

Shape Broadcast(const Shape& a, const Shape& b) {
  Shape result = a.rank() >= b.rank() ? a : b;
  for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
    result.set_dim(-i, std::max(a.dim(-i), b.dim(-i)));
  }
  return result;
}

float Stretched(const Tensor& tensor, const Shape& shape, size_t index) {
  size_t at = 0;
  size_t stride = 1;
  for (int i = 1; i <= tensor.shape().rank(); ++i) {
    const auto whole = static_cast<size_t>(shape.dim(-i));
    const auto own = static_cast<size_t>(tensor.shape().dim(-i));
    if (own > 1) at += index % whole * stride;
    index /= whole;
    stride *= own;
  }
  return tensor.values<float>()[at];
}

TEST(OnednnBinary, AgreesWithTheFormulaForEveryBroadcast) {
  const Shape image{2, 20, 3, 5};
  const std::vector<std::pair<Shape, Shape>> cases = {{image, image},
                                                      {image, {20, 1, 1}},
                                                      {image, {1, 20, 1, 1}},
                                                      {image, {1}},
                                                      {image, {}},
                                                      {image, {5}},
                                                      {image, {2, 1, 1, 1}},
                                                      {image, {2, 20, 1, 1}},
                                                      {image, {1, 1, 3, 5}},
                                                      {{20, 1, 1}, image},
                                                      {{}, image},
                                                      {{2, 20, 1, 1}, {1, 1, 3, 5}},
                                                      {{3, 1}, {1, 4}},
                                                      {{4}, {3, 1}},
                                                      {{}, {}},
                                                      {{7}, {7}},
                                                      {{2, 5, 9}, {5, 1}},
                                                      {{2, 3, 2, 3, 4}, {3, 1, 1, 1}},
                                                      {{1, 64, 4, 4}, {64, 1, 1}}};
  for (const auto& [a, b] : cases) {
    const Shape shape = Broadcast(a, b);
    const Tensor src0 = Noise(a, 1);
    const Tensor src1 = Noise(b, 2);
    for (const auto algorithm : {Binary::Algorithm::kAdd, Binary::Algorithm::kMul}) {
      std::vector<double> want;
      for (size_t i = 0; i < static_cast<size_t>(shape.num_elements()); ++i) {
        const double x = Stretched(src0, shape, i);
        const double y = Stretched(src1, shape, i);
        want.push_back(algorithm == Binary::Algorithm::kAdd ? x + y : x * y);
      }
      SCOPED_TRACE(fmt::format("{} with {}", a.ToString(), b.ToString()));
      const Binary op{algorithm};
      ExpectInAllLayouts(op, {Source(src0), Source(src1)}, shape, want, 1e-7);
      ExpectInAllLayouts(op, {Source(src0), Constant(src1)}, shape, want, 1e-7);
      ExpectInAllLayouts(op, {Constant(src0), Source(src1)}, shape, want, 1e-7);
    }
  }
}

TEST(OnednnBinary, DifferencesAndQuotientsOfAWholeFirstOperand) {
  const Shape image{2, 20, 3, 5};
  for (const Shape& other : {image, Shape{20, 1, 1}, Shape{}, Shape{5}, Shape{2, 20, 1, 1}}) {
    Tensor src1 = Noise(other, 2);
    for (float& x : src1.mutable_view().values<float>()) x += 2;  // away from 0
    const Tensor src0 = Noise(image, 1);
    for (const auto algorithm : {Binary::Algorithm::kSub, Binary::Algorithm::kDiv}) {
      std::vector<double> want;
      for (size_t i = 0; i < static_cast<size_t>(image.num_elements()); ++i) {
        const double x = Stretched(src0, image, i);
        const double y = Stretched(src1, image, i);
        want.push_back(algorithm == Binary::Algorithm::kSub ? x - y : x / y);
      }
      SCOPED_TRACE(other.ToString());
      ExpectInAllLayouts(Binary{algorithm}, {Source(src0), Source(src1)}, image, want, 2e-7);
      ExpectInAllLayouts(Binary{algorithm}, {Source(src0), Constant(src1)}, image, want, 2e-7);
    }
  }
}

TEST(OnednnBinary, WhatOnednnHasNotIsLeftToTheFallback) {
  const auto refused = [](Binary::Algorithm algorithm, const Shape& a, const Shape& b) {
    return RunArrived(Binary{algorithm}, {Source(Noise(a, 1)), Source(Noise(b, 2))},
                      Broadcast(a, b), Arrival::kDense)
        .status()
        .code();
  };
  using enum Binary::Algorithm;
  EXPECT_EQ(refused(kMax, {3}, {3}), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(refused(kPow, {3}, {3}), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(refused(kSub, {3}, {2, 3}), absl::StatusCode::kUnimplemented);
}

// Of every row of `axes`, in the order of what is left.
std::vector<double> Reduced(const backend::Reduction& op, const Tensor& src) {
  std::vector<std::vector<double>> rows;
  const auto values = src.values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    size_t rest = i;
    size_t row = 0;
    size_t stride = 1;
    for (int axis = src.shape().rank() - 1; axis >= 0; --axis) {
      const auto size = static_cast<size_t>(src.shape().dim(axis));
      if (std::find(op.axes.begin(), op.axes.end(), axis) == op.axes.end()) {
        row += rest % size * stride;
        stride *= size;
      }
      rest /= size;
    }
    if (row >= rows.size()) rows.resize(row + 1);
    rows[row].push_back(values[i]);
  }
  std::vector<double> results;
  for (const auto& row : rows) results.push_back(ReductionOf(op, row));
  return results;
}

TEST(OnednnReduction, AgreesWithTheFormulaInEveryLayout) {
  using enum backend::Reduction::Algorithm;
  struct Case {
    Shape shape;
    backend::AxisVector axes;
    Shape dst;
  };
  const Case cases[] = {{{2, 20, 3, 5}, {2, 3}, {2, 20, 1, 1}},
                        {{2, 20, 3, 5}, {1}, {2, 3, 5}},
                        {{2, 20, 3, 5}, {0, 1, 2, 3}, {}},
                        {{2, 20, 3, 5}, {3}, {2, 20, 3}},
                        {{2, 20, 3, 5}, {0}, {20, 3, 5}},
                        {{3, 100}, {1}, {3}},
                        {{100, 70}, {0}, {70}},
                        {{1, 20, 1, 1}, {2, 3}, {1, 20}}};
  for (const Case& test : cases) {
    for (backend::Reduction op :
         {backend::Reduction{kSum}, {kMean}, {kMax}, {kMin}, {kNorm}, {kNorm, {}, 1}}) {
      SCOPED_TRACE(fmt::format("{} to {}, algorithm {}", test.shape.ToString(), test.dst.ToString(),
                               static_cast<int>(op.algorithm)));
      op.axes = test.axes;
      Tensor src = Noise(test.shape, 1);
      ExpectInAllLayouts(op, {Source(src)}, test.dst, Reduced(op, src), 1e-6, 1e-6);
      src.mutable_view().values<float>()[1] = NAN;
      src.mutable_view().values<float>()[2] = INFINITY;
      ExpectInAllLayouts(op, {Source(src)}, test.dst, Reduced(op, src), 1e-6, 1e-6);
    }
  }
}

TEST(OnednnReduction, OthersAreLeftToTheFallback) {
  using enum backend::Reduction::Algorithm;
  const auto refused = [](const backend::Reduction& op, const Shape& dst) {
    return RunArrived(op, {Source(Noise({2, 3, 4}, 1))}, dst, Arrival::kDense).status().code();
  };
  EXPECT_EQ(refused({kProd, {1}}, {2, 4}), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(refused({kNorm, {1}, 3}, {2, 4}), absl::StatusCode::kUnimplemented);
  // No neighbours.
  EXPECT_EQ(refused({kSum, {0, 2}}, {3}), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace lazynet::testing
