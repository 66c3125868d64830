// Kernels that read and write BF16: what the reference backend makes of the same inputs in FP32,
// rounded. Without AVX512_BF16 they are the FP32 kernels between conversions, which passes as well.

#include "engine/backend/onednn/own/bf16.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/onednn/prepare.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/core/convert.h"
#include "tests/engine/backend/onednn/harness.h"

namespace lazynet::testing {
namespace {

using namespace backend;  // NOLINT: the op set

// BF16 has 8 bits: a result is rounded by 2^-9 of itself. Twice that leaves room for an FP32 sum
// that ends on the other side of a tie.
constexpr double kRounding = 0x1p-8;

// Of sums of some hundred FP32 products below 1 that nearly cancel out.
constexpr double kSumError = 2e-5;

Tensor ToBf16(const Tensor& tensor) { return *Converted(tensor, DType::kBf16); }
Tensor Rounded(const Tensor& tensor) { return *Converted(ToBf16(tensor), DType::kFp32); }
Tensor RoundedNoise(Shape shape, uint32_t seed) { return Rounded(Noise(std::move(shape), seed)); }

// Every fifth element or so is special.
Tensor Special(Shape shape, uint32_t seed) {
  Tensor tensor = RoundedNoise(std::move(shape), seed);
  const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 3e37f, -1e-30f};
  size_t i = seed;
  for (float& value : tensor.mutable_view().values<float>()) {
    if (++i % 37 < 7) value = specials[i % 37];
  }
  return Rounded(tensor);
}

std::vector<double> Wanted(const OpKind& kind, const std::vector<OpInput>& inputs,
                           const Shape& shape) {
  static const auto reference = MakeReferenceBackend();
  const auto result = RunOp(*reference, kind, inputs, shape);
  LAZYNET_CHECK(result.ok());
  const auto values = result->dst.values<float>();
  return {values.begin(), values.end()};
}

// Runs with BF16 in place of the inputs that are no constants, which hold numbers of BF16, in every
// layout. Returns the implementation for dense inputs.
std::string ExpectBf16(const OpKind& kind, const std::vector<OpInput>& inputs, const Shape& shape,
                       double absolute = 0, DType output = DType::kBf16) {
  const std::vector<double> want = Wanted(kind, inputs, shape);
  std::vector<OpInput> rounded = inputs;
  for (OpInput& input : rounded) {
    if (input.tensor && !input.constant && input.tensor->dtype() == DType::kFp32) {
      input.tensor = ToBf16(*input.tensor);
    }
  }
  std::string implementation;
  for (const Arrival arrival : kArrivals) {
    SCOPED_TRACE(Name(arrival));
    const auto result = RunArrived(kind, rounded, shape, arrival, output);
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      continue;
    }
    SCOPED_TRACE(result->implementation);
    if (arrival == Arrival::kDense) implementation = result->implementation;
    const Tensor got = *Converted(result->dst, DType::kFp32);
    ExpectNear(got.values<float>(), want, absolute, kRounding);
  }
  return implementation;
}

// The same, by a kernel for BF16 where there are the instructions.
void ExpectBf16Kernel(const OpKind& kind, const std::vector<OpInput>& inputs, const Shape& shape,
                      double absolute = 0, DType output = DType::kBf16) {
  const std::string implementation = ExpectBf16(kind, inputs, shape, absolute, output);
  if (!own::DetectBf16()) return;
  EXPECT_THAT(implementation, ::testing::Not(::testing::EndsWith("+widened")));
  EXPECT_THAT(implementation, ::testing::Not(::testing::StartsWith("ref")));
}

TEST(Bf16Kernels, ConvolutionsOfEveryKind) {
  struct Case {
    Convolution op;
    Shape src, weights, dst;
  };
  const Case cases[] = {
      {{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}, {2, 16, 9, 9}, {32, 16, 3, 3}, {2, 32, 9, 9}},
      {{{2, 2}, {1, 1}, {3, 3}, {3, 3}, 1}, {1, 3, 30, 30}, {24, 3, 7, 7}, {1, 24, 15, 15}},
      {{{1, 1}, {1, 1}, {0, 0}, {0, 0}, 1}, {2, 64, 14, 14}, {96, 64, 1, 1}, {2, 96, 14, 14}},
      {{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 32}, {1, 32, 12, 12}, {32, 1, 3, 3}, {1, 32, 12, 12}},
      {{{1, 1}, {2, 2}, {2, 2}, {2, 2}, 1}, {1, 20, 8, 8}, {12, 20, 3, 3}, {1, 12, 8, 8}},
      {{{2}, {1}, {1}, {1}, 1}, {2, 16, 31}, {8, 16, 3}, {2, 8, 16}},
      {{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1},
       {1, 8, 4, 5, 6},
       {16, 8, 3, 3, 3},
       {1, 16, 4, 5, 6}}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.src.ToString());
    const std::vector<OpInput> inputs{Source(RoundedNoise(one.src, 1)),
                                      Constant(RoundedNoise(one.weights, 2)),
                                      Constant(Noise({one.weights.dim(0)}, 3))};
    ExpectBf16Kernel(one.op, inputs, one.dst, kSumError);
    ExpectBf16Kernel(one.op, inputs, one.dst, kSumError, DType::kFp32);
  }
}

// Groups of few channels have plain loops only, or none.
TEST(Bf16Kernels, WhatOnednnIsSlowAtIsDoneInFp32) {
  const Convolution op{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 4};
  const std::string implementation = ExpectBf16(
      op,
      {Source(RoundedNoise({1, 12, 6, 6}, 1)), Constant(RoundedNoise({20, 3, 3, 3}, 2)), Absent()},
      {1, 20, 6, 6}, kSumError);
  EXPECT_THAT(implementation, ::testing::Not(::testing::StartsWith("ref")));
}

TEST(Bf16Kernels, Deconvolutions) {
  for (const int64_t groups : {1, 2}) {
    const Deconvolution op{{2, 2}, {1, 1}, {1, 1}, groups};
    const std::vector<OpInput> inputs{Source(RoundedNoise({2, 16, 6, 5}, 1)),
                                      Constant(RoundedNoise({16, 8 / groups, 4, 4}, 2)),
                                      Constant(Noise({8}, 3))};
    ExpectBf16(op, inputs, {2, 8, 12, 10}, kSumError);
    ExpectBf16(op, inputs, {2, 8, 12, 10}, kSumError, DType::kFp32);
  }
}

TEST(Bf16Kernels, InnerProducts) {
  for (const int64_t rows : {1, 5, 64}) {
    for (const auto& [in, out] : {std::pair{7, 3}, {64, 96}, {129, 65}}) {
      SCOPED_TRACE(fmt::format("{} x {} x {}", rows, in, out));
      const std::vector<OpInput> inputs{Source(RoundedNoise({rows, in}, 1)),
                                        Constant(RoundedNoise({out, in}, 2)),
                                        Constant(Noise({out}, 3))};
      ExpectBf16Kernel(InnerProduct{}, inputs, {rows, out}, kSumError);
      ExpectBf16Kernel(InnerProduct{}, inputs, {rows, out}, kSumError, DType::kFp32);
    }
  }
}

TEST(Bf16Kernels, ProductsOfMatrices) {
  for (const bool transposed : {false, true}) {
    for (const auto& [m, k, n] : {std::tuple{5, 16, 7}, {40, 64, 40}, {1, 33, 20}}) {
      SCOPED_TRACE(fmt::format("{} x {} x {} transposed {}", m, k, n, transposed));
      const MatMul op{transposed, 0.125};
      const Shape src1 = transposed ? Shape{2, 3, n, k} : Shape{2, 3, k, n};
      const Tensor a = RoundedNoise({2, 3, m, k}, 1);
      const Tensor b = RoundedNoise(src1, 2);
      for (const OpInput& second : {Source(b), Constant(b)}) {
        ExpectBf16Kernel(op, {Source(a), second}, {2, 3, m, n}, kSumError);
        ExpectBf16Kernel(op, {Source(a), second}, {2, 3, m, n}, kSumError, DType::kFp32);
      }
    }
  }
}

TEST(Bf16Kernels, Pools) {
  for (const auto kind : {Pooling::Kind::kMax, Pooling::Kind::kAverage}) {
    for (const int64_t channels : {3, 20, 64}) {
      const Shape src{2, channels, 9, 11};
      ExpectBf16Kernel(Pooling{kind, {3, 3}, {2, 2}, {1, 1}, {1, 1}}, {Source(Special(src, 1))},
                       {2, channels, 5, 6}, kSumError);
      ExpectBf16Kernel(Pooling{kind, {2, 2}, {1, 1}, {1, 1}, {0, 0}},
                       {Source(RoundedNoise(src, 1))}, {2, channels, 8, 10}, kSumError);
    }
  }
  ExpectBf16Kernel(AdaptiveAveragePooling{}, {Source(RoundedNoise({2, 35, 7, 7}, 1))},
                   {2, 35, 1, 1}, kSumError);
  ExpectBf16Kernel(AdaptiveMaxPooling{}, {Source(Special({2, 35, 7, 7}, 1))}, {2, 35, 3, 2});
}

TEST(Bf16Kernels, FunctionsOfOneElement) {
  using A = Eltwise::Algorithm;
  for (const Eltwise& op : {Eltwise{A::kRelu},
                            {A::kClamp, -0.5, 0.25},
                            {A::kLeakyRelu, 0.1},
                            {A::kGeluErf},
                            {A::kGeluTanh},
                            {A::kSilu},
                            {A::kSigmoid},
                            {A::kTanh},
                            {A::kHardswish},
                            {A::kElu, 1},
                            {A::kExp},
                            {A::kAbs},
                            {A::kSqrt},
                            {A::kLinear, 2, 0.5}}) {
    SCOPED_TRACE(static_cast<int>(op.algorithm));
    for (const Shape& shape : {Shape{1}, Shape{3, 33}, Shape{2, 17, 5, 6}}) {
      // Near 0 and where a result is no normal number the functions are off by little.
      ExpectBf16Kernel(op, {Source(Special(shape, 1))}, shape, 1e-6);
    }
  }
}

TEST(Bf16Kernels, ArithmeticWithEveryBroadcast) {
  using A = Binary::Algorithm;
  const Shape whole{2, 20, 4, 5};
  for (const A algorithm : {A::kAdd, A::kMul, A::kSub, A::kDiv}) {
    SCOPED_TRACE(static_cast<int>(algorithm));
    const Tensor src = RoundedNoise(whole, 1);
    for (const Shape& other : {whole, Shape{20, 1, 1}, Shape{1}, Shape{2, 20, 1, 1}, Shape{5}}) {
      SCOPED_TRACE(other.ToString());
      const Tensor second = RoundedNoise(other, 2);
      ExpectBf16(Binary{algorithm}, {Source(src), Source(second)}, whole);
      ExpectBf16(Binary{algorithm}, {Source(src), Constant(second)}, whole);
    }
  }
  ExpectBf16Kernel(Binary{A::kAdd}, {Source(Special(whole, 1)), Source(Special(whole, 5))}, whole);
}

TEST(Bf16Kernels, SoftmaxOverEveryAxis) {
  for (const bool log : {false, true}) {
    for (const int axis : {0, 1, 2, 3}) {
      SCOPED_TRACE(fmt::format("axis {} log {}", axis, log));
      const Shape shape{3, 20, 5, 18};
      ExpectBf16Kernel(Softmax{axis, log}, {Source(RoundedNoise(shape, 1))}, shape, 1e-5);
      ExpectBf16Kernel(Softmax{axis, log}, {Source(Special(shape, 1))}, shape, 1e-5);
    }
  }
}

TEST(Bf16Kernels, Normalizations) {
  const Shape shape{2, 20, 5, 6};
  Tensor variance = Noise({20}, 3);
  for (float& value : variance.mutable_view().values<float>()) value = std::abs(value) + 0.1f;
  const OpInput scale = Constant(Noise({20}, 4)), shift = Constant(Noise({20}, 5));
  const OpInput src = Source(RoundedNoise(shape, 1));
  using Statistics = Normalization::Statistics;
  // The distance from the mean cancels out, and the shift does.
  ExpectBf16(Normalization{Statistics::kGiven, 1e-5},
             {src, Constant(Noise({20}, 2)), Constant(variance), scale, shift}, shape, 1e-5);
  for (const auto statistics :
       {Statistics::kPerBatch, Statistics::kPerInstance, Statistics::kPerGroup}) {
    const Normalization op{statistics, 1e-5, statistics == Statistics::kPerGroup ? 4 : 1};
    ExpectBf16(op, {src, Absent(), Absent(), scale, shift}, shape, 1e-5);
  }
  for (const int64_t columns : {5, 64, 100}) {
    const std::vector<OpInput> rows{Source(RoundedNoise({7, columns}, 1)),
                                    Constant(Noise({columns}, 2)), Constant(Noise({columns}, 3))};
    ExpectBf16Kernel(LayerNormalization{}, rows, {7, columns}, 1e-5);
  }
}

TEST(Bf16Kernels, NanAndInfinityStayInTheirRowOfALayerNormalization) {
  for (const float special : {NAN, INFINITY}) {
    Tensor src = RoundedNoise({4, 40}, 1);
    src.mutable_view().values<float>()[45] = special;
    ExpectBf16(LayerNormalization{}, {Source(src), Constant(Noise({40}, 2)), Absent()}, {4, 40},
               1e-5);
  }
}

TEST(Bf16Kernels, NanReachesAllThatIsMadeOfIt) {
  Tensor src = RoundedNoise({2, 16, 6, 6}, 1);
  src.mutable_view().values<float>()[40] = NAN;
  src.mutable_view().values<float>()[700] = INFINITY;
  ExpectBf16(Convolution{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1},
             {Source(src), Constant(RoundedNoise({20, 16, 3, 3}, 2)), Absent()}, {2, 20, 6, 6},
             kSumError);
  Tensor rows = RoundedNoise({3, 33}, 1);
  rows.mutable_view().values<float>()[40] = -INFINITY;
  rows.mutable_view().values<float>()[70] = NAN;
  ExpectBf16(InnerProduct{}, {Source(rows), Constant(RoundedNoise({20, 33}, 2)), Absent()}, {3, 20},
             kSumError);
  ExpectBf16(MatMul{}, {Source(rows), Source(RoundedNoise({33, 20}, 2))}, {3, 20}, kSumError);
}

TEST(Bf16Kernels, Reductions) {
  using A = Reduction::Algorithm;
  for (const A algorithm : {A::kSum, A::kMean, A::kMax, A::kMin}) {
    const Tensor src = RoundedNoise({2, 20, 5, 6}, 1);
    ExpectBf16Kernel(Reduction{algorithm, {2, 3}}, {Source(src)}, {2, 20}, 1e-6);
    ExpectBf16Kernel(Reduction{algorithm, {1}}, {Source(src)}, {2, 5, 6}, 1e-6);
    ExpectBf16Kernel(Reduction{algorithm, {1}}, {Source(Special({2, 20, 5, 6}, 1))}, {2, 5, 6},
                     1e-6);
  }
}

TEST(Bf16Kernels, Movements) {
  const Shape shape{2, 16, 4, 6};
  const Tensor src = Special(shape, 1);
  ExpectBf16Kernel(Permute{{0, 2, 3, 1}}, {Source(src)}, {2, 4, 6, 16});
  ExpectBf16Kernel(Permute{{3, 1, 0, 2}}, {Source(src)}, {6, 16, 2, 4});
  ExpectBf16Kernel(Concat{1}, {Source(src), Source(Special({2, 3, 4, 6}, 2))}, {2, 19, 4, 6});
  ExpectBf16Kernel(Concat{1}, {Source(src), Constant(Special({2, 16, 4, 6}, 2))}, {2, 32, 4, 6});
}

// Dense ones belong to the reference backend, which there is none of here.
TEST(Bf16Kernels, SlicesAndPadsStayInTheirLayout) {
  const Tensor src = ToBf16(Special({2, 16, 4, 6}, 1));
  const std::vector<OpInput> inputs{Source(*Converted(src, DType::kFp32))};
  const Slice slice{{0, 0, 1, 2}};
  const Pad pad{Pad::Mode::kConstant, {0, 0, 1, 2}, {0, 0, 0, 1}, 0.5};
  const std::pair<OpKind, Shape> cases[] = {{slice, {2, 16, 3, 4}}, {pad, {2, 16, 5, 9}}};
  for (const auto& [kind, shape] : cases) {
    for (const Arrival arrival : {Arrival::kChannelsLast, Arrival::kBlocked16}) {
      const auto result = RunArrived(kind, {Source(src)}, shape, arrival);
      ASSERT_TRUE(result.ok()) << result.status();
      ExpectNear(Converted(result->dst, DType::kFp32)->values<float>(), Wanted(kind, inputs, shape),
                 0, 0);
    }
  }
}

TEST(Bf16Kernels, CastsRoundToTheNearestInEveryLayout) {
  const Tensor src = Noise({2, 20, 3, 5}, 1);
  for (const Arrival arrival : kArrivals) {
    const auto low = RunArrived(Cast{}, {Source(src)}, src.shape(), arrival, DType::kBf16);
    ASSERT_TRUE(low.ok()) << low.status();
    const auto high = RunArrived(Cast{}, {Source(low->dst)}, src.shape(), arrival, DType::kFp32);
    ASSERT_TRUE(high.ok()) << high.status();
    const Tensor rounded = Rounded(src);
    const auto want = rounded.values<float>();
    const auto got = high->dst.values<float>();
    EXPECT_TRUE(std::equal(got.begin(), got.end(), want.begin()));
  }
}

// Every bit pattern of BF16, there and back, and what lies beside ties.
TEST(Bf16Kernels, CastsKeepEveryNumber) {
  std::vector<float> values;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    for (const uint32_t low : {0x0u, 0x1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      values.push_back(std::bit_cast<float>(bits << 16 | low));
    }
  }
  const auto count = static_cast<int64_t>(values.size());
  const Tensor src = Values({count}, values);
  const auto low = RunArrived(Cast{}, {Source(src)}, {count}, Arrival::kDense, DType::kBf16);
  ASSERT_TRUE(low.ok()) << low.status();
  const auto got = *Converted(low->dst, DType::kFp32);
  const auto want = Rounded(src);
  for (size_t i = 0; i < values.size(); ++i) {
    const float a = got.values<float>()[i], b = want.values<float>()[i];
    // Numbers that are not normal may become 0.
    const bool tiny = std::abs(b) <= std::numeric_limits<float>::min() && a == 0;
    ASSERT_TRUE(a == b || tiny || (std::isnan(a) && std::isnan(b))) << values[i];
  }
}

TEST(Bf16Kernels, FusedSumsAndActivations) {
  const Tensor src = RoundedNoise({2, 16, 6, 6}, 1);
  const Tensor weights = RoundedNoise({16, 16, 3, 3}, 2);
  const Convolution convolution{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
  const std::vector<double> products =
      Wanted(convolution, {Source(src), Constant(weights), Absent()}, src.shape());

  Graph graph;
  const auto input = graph.AddInput(DType::kBf16, src.shape());
  const auto w = graph.AddConstant(DType::kFp32, weights.shape(),
                                   {"w", [weights] { return absl::StatusOr<Tensor>(weights); }});
  const auto made = graph.AddOp(convolution, {input, w, kNoValue}, src.shape(), "conv");
  const auto residual = graph.AddInput(DType::kBf16, src.shape());
  const auto sum = graph.AddOp(Binary{}, {made, residual}, src.shape(), "sum");
  graph.AddOp(Eltwise{}, {sum}, src.shape(), "relu");
  Op op = graph.ops[0];
  op.fused = {graph.ops[1], graph.ops[2]};
  PackedWeights packed;
  const std::vector<LayoutPtr> dense(4);
  const auto prepared = Onednn().Prepare(graph, op, dense, packed);
  if (!own::DetectBf16()) {
    EXPECT_EQ(prepared.status().code(), absl::StatusCode::kUnimplemented);
    return;
  }
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const auto reorder = [&](const std::byte* from, const LayoutPtr& a, const LayoutPtr& b) {
    const auto copy = Onednn().PrepareReorder(graph.value(input), a, b);
    Buffer to = *Buffer::Allocate(LayoutBytes(graph.value(input), b));
    Buffer scratch = *Buffer::Allocate(copy->scratch_bytes);
    EXPECT_TRUE(copy->kernel->Run({{&from, 1}, to.data(), scratch.data()}).ok());
    return to;
  };
  const Tensor added = RoundedNoise(src.shape(), 3);
  const Buffer first = reorder(ToBf16(src).data(), nullptr, prepared->src_layouts[0]);
  Buffer dst = reorder(ToBf16(added).data(), nullptr, prepared->dst_layout);
  Buffer scratch = *Buffer::Allocate(prepared->scratch_bytes);
  const std::vector<const std::byte*> srcs{first.data(), nullptr, nullptr, dst.data()};
  ASSERT_TRUE(prepared->kernel->Run({srcs, dst.data(), scratch.data()}).ok());
  const Buffer got = reorder(dst.data(), prepared->dst_layout, nullptr);
  const auto* bits = reinterpret_cast<const own::Bf16*>(got.data());
  for (size_t i = 0; i < products.size(); ++i) {
    const double want = std::max(0.0, products[i] + double{added.values<float>()[i]});
    ASSERT_NEAR(own::Widen(bits[i]), want, kSumError + kRounding * want) << i;
  }
}

TEST(Bf16Kernels, TheBackendSaysWhatItComputes) {
  Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {2, 6});
  const auto ids = graph.AddInput(DType::kInt64, {2, 6});
  const auto weights = graph.AddConstant(DType::kFp32, {6, 6}, {.key = "w", .make = nullptr});
  const auto asks = [&](OpKind kind, std::vector<ValueId> inputs, Shape shape,
                        DType dtype = DType::kBf16) {
    graph.AddOp(std::move(kind), std::move(inputs), std::move(shape), "op", DType::kFp32);
    return Onednn().ComputesIn(dtype, graph, graph.ops.back());
  };
  const bool can = own::DetectBf16();
  EXPECT_EQ(asks(InnerProduct{}, {src, weights, kNoValue}, {2, 6}), can);
  EXPECT_EQ(asks(Softmax{1}, {src}, {2, 6}), can);
  EXPECT_EQ(asks(Slice{{0, 0}}, {src}, {2, 3}), can);
  EXPECT_FALSE(asks(InnerProduct{}, {src, weights, kNoValue}, {2, 6}, DType::kFp16));
  EXPECT_FALSE(asks(InnerProduct{}, {src, src, kNoValue}, {2, 2}));
  EXPECT_FALSE(asks(LayerNormalization{1e-5, true}, {src, kNoValue, kNoValue}, {2, 6}));
  EXPECT_FALSE(asks(Gather{}, {ids, weights}, {2, 6, 6}));
  EXPECT_FALSE(asks(Eltwise{Eltwise::Algorithm::kErf}, {src}, {2, 6}));
}

}  // namespace
}  // namespace lazynet::testing
