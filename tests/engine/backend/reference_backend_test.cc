#include "engine/backend/reference/reference_backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "engine/backend/packed_weights.h"
#include "tests/support/run_op.h"

namespace lazynet::backend {
namespace {

using testing::Absent;
using testing::Constant;
using testing::Noise;
using testing::Source;

absl::StatusOr<PreparedOp> Prepare(const Graph& graph) {
  PackedWeights packed;
  const Op& op = graph.ops.back();
  auto prepared =
      MakeReferenceBackend()->Prepare(graph, op, std::vector<LayoutPtr>(op.inputs.size()), packed);
  EXPECT_EQ(packed.bytes(), 0u);
  return prepared;
}

TEST(ReferenceBackend, SupportsFloatAndDouble) {
  const auto backend = MakeReferenceBackend();
  EXPECT_EQ(backend->name(), "reference");
  EXPECT_TRUE(backend->Supports(DType::kFp32));
  EXPECT_TRUE(backend->Supports(DType::kFp64));
  EXPECT_FALSE(backend->Supports(DType::kBf16));
  EXPECT_FALSE(backend->Supports(DType::kInt64));
}

TEST(ReferenceBackend, RefusesOtherDtypesAndMixedOnes) {
  Graph integers;
  integers.AddOp(Eltwise{}, {integers.AddInput(DType::kInt32, {3})}, {3}, "relu");
  EXPECT_EQ(Prepare(integers).status().code(), absl::StatusCode::kUnimplemented);

  Graph mixed;
  mixed.AddOp(Binary{}, {mixed.AddInput(DType::kFp32, {3}), mixed.AddInput(DType::kFp64, {3})}, {3},
              "add");
  EXPECT_EQ(Prepare(mixed).status().code(), absl::StatusCode::kUnimplemented);
}

TEST(ReferenceBackend, LeavesReshapeToThePlan) {
  Graph graph;
  graph.AddOp(Reshape{}, {graph.AddInput(DType::kFp32, {4})}, {2, 2}, "flatten");
  EXPECT_EQ(Prepare(graph).status().code(), absl::StatusCode::kUnimplemented);
}

TEST(ReferenceBackend, HandsOnWhyAConstantCannotBeMade) {
  Graph graph;
  const ValueId src = graph.AddInput(DType::kFp32, {1, 1});
  const ValueId weights = graph.AddConstant(
      DType::kFp32, {1, 1},
      {"w", [] { return absl::StatusOr<Tensor>(ResourceExhausted("no memory")); }});
  graph.AddOp(InnerProduct{}, {src, weights, kNoValue}, {1, 1}, "fc");
  EXPECT_EQ(Message(Prepare(graph).status()), "no memory");
}

TEST(ReferenceBackend, TakesWeightsFromTheRequestToo) {
  const auto backend = MakeReferenceBackend();
  const Tensor src = Noise({2, 3}, 1);
  const Tensor weights = Noise({4, 3}, 2);
  const auto constant =
      testing::RunOp(*backend, InnerProduct{}, {Source(src), Constant(weights), Absent()}, {2, 4});
  const auto source =
      testing::RunOp(*backend, InnerProduct{}, {Source(src), Source(weights), Absent()}, {2, 4});
  ASSERT_TRUE(constant.ok() && source.ok());
  EXPECT_EQ(constant->implementation, "reference");
  EXPECT_TRUE(std::ranges::equal(constant->dst.values<float>(), source->dst.values<float>()));
}

TEST(ReferenceBackend, AddsInDoublePrecision) {
  const Tensor src = testing::Values({1, 3}, {1e8f, 1, -1e8f});
  const Tensor ones = testing::Values({1, 3}, {1, 1, 1});
  const auto sum = testing::RunOp(*MakeReferenceBackend(), InnerProduct{},
                                  {Source(src), Constant(ones), Absent()}, {1, 1});
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(sum->dst.values<float>()[0], 1);
}

Tensor Widen(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return testing::Values64(tensor.shape(), {values.begin(), values.end()});
}

// FP64 multiplies weights and patches of the image, some rows at a time; FP32 adds tap by tap.
TEST(ReferenceBackend, ConvolvesLargeImagesInPieces) {
  const Convolution op = {.strides = {1, 2},
                          .dilations = {2, 1},
                          .padding_l = {2, 1},
                          .padding_r = {2, 1},
                          .groups = 2};
  const Tensor src = Noise({2, 64, 50, 60}, 1);
  const Tensor weights = Noise({6, 32, 3, 3}, 2);
  const Tensor bias = Noise({6}, 3);
  const Shape dst = {2, 6, 50, 30};
  const auto backend = MakeReferenceBackend();
  const auto single =
      testing::RunOp(*backend, op, {Source(src), Constant(weights), Constant(bias)}, dst);
  const auto doubles = testing::RunOp(
      *backend, op, {Source(Widen(src)), Constant(Widen(weights)), Constant(Widen(bias))}, dst);
  ASSERT_TRUE(single.ok() && doubles.ok()) << single.status() << doubles.status();
  const auto want = doubles->dst.values<double>();
  const auto got = single->dst.values<float>();
  // One rounding of FP32.
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i], 1e-7 * (1 + std::abs(want[i])));
}

// With the last axis first, [16000, 16000] would lie between the two passes.
TEST(ReferenceBackend, ResamplesFirstWhatShrinks) {
  const auto scratch = [](const Shape& src, const Shape& dst, std::vector<double> scales) {
    Graph graph;
    graph.AddOp(Resampling{Resampling::Mode::kLinear, false, std::move(scales)},
                {graph.AddInput(DType::kFp64, src)}, dst, "up");
    const auto prepared = Prepare(graph);
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    return prepared.ok() ? prepared->scratch_bytes / sizeof(double) : 0;
  };
  EXPECT_EQ(scratch({1, 1, 16000, 1}, {1, 1, 1, 16000}, {16000, 1.0 / 16000}), 1u);
  EXPECT_EQ(scratch({1, 1, 1, 16000}, {1, 1, 16000, 1}, {1.0 / 16000, 16000}), 1u);
  EXPECT_EQ(scratch({1, 2, 8}, {1, 2, 16}, {0.5}), 0u);
  // [4, 1, 2] and [4, 1, 6], each with room for the larger.
  EXPECT_EQ(scratch({1, 1, 4, 4, 2}, {1, 1, 16, 1, 6}, {0.25, 4, 1.0 / 3}), 2u * 24);
}

TEST(ReferenceBackend, AddsUpBagsInScratchMemory) {
  Graph graph;
  const ValueId ids = graph.AddInput(DType::kInt64, {6});
  const ValueId table = graph.AddInput(DType::kFp32, {3, 5});
  graph.AddOp(EmbeddingBag{}, {ids, kNoValue, table, kNoValue}, {2, 5}, "bags", DType::kFp32);
  const auto prepared = Prepare(graph);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->scratch_bytes, 5 * sizeof(double));
}

// Where the answer is no, writing dst would destroy what is still to be read.
TEST(ReferenceBackend, WorksInPlaceWhereItsLoopsAllow) {
  Graph graph;
  const ValueId src = graph.AddInput(DType::kFp32, {2, 3, 4});
  const ValueId row = graph.AddInput(DType::kFp32, {4});
  const auto in_place = [&](OpKind kind, std::vector<ValueId> inputs, Shape dst) {
    graph.AddOp(std::move(kind), std::move(inputs), std::move(dst), "op");
    const auto prepared = Prepare(graph);
    EXPECT_TRUE(prepared.ok());
    return prepared->in_place;
  };
  const Normalization per_batch = {.statistics = Normalization::Statistics::kPerBatch};
  EXPECT_TRUE(in_place(Eltwise{}, {src}, {2, 3, 4}));
  EXPECT_TRUE(in_place(Softmax{1}, {src}, {2, 3, 4}));
  EXPECT_TRUE(in_place(per_batch, {src, kNoValue, kNoValue, kNoValue, kNoValue}, {2, 3, 4}));
  EXPECT_TRUE(in_place(Binary{}, {src, row}, {2, 3, 4}));
  EXPECT_FALSE(in_place(Binary{}, {row, src}, {2, 3, 4}));
  EXPECT_FALSE(in_place(Concat{0}, {src}, {2, 3, 4}));

  const ValueId constant = graph.AddConstant(
      DType::kFp32, {4}, {"c", [] {
                            return absl::StatusOr<Tensor>(testing::Values({4}, {1, 2, 3, 4}));
                          }});
  EXPECT_FALSE(in_place(Eltwise{}, {constant}, {4}));
}

TEST(ReferenceBackend, OneKernelRunsOnManyThreads) {
  Graph graph;
  const Tensor weights = Noise({4, 3, 3, 3}, 1);
  const ValueId src = graph.AddInput(DType::kFp32, {1, 3, 8, 8});
  const ValueId constant = graph.AddConstant(
      DType::kFp32, weights.shape(), {"w", [=] { return absl::StatusOr<Tensor>(weights); }});
  const Convolution op = {
      .strides = {1, 1}, .dilations = {1, 1}, .padding_l = {1, 1}, .padding_r = {1, 1}};
  graph.AddOp(op, {src, constant, kNoValue}, {1, 4, 8, 8}, "conv");
  const auto prepared = Prepare(graph);
  ASSERT_TRUE(prepared.ok());

  const auto run = [&](uint32_t seed) {
    const Tensor input = Noise({1, 3, 8, 8}, seed);
    std::vector<float> dst(4 * 8 * 8);
    Buffer scratch = *Buffer::Allocate(prepared->scratch_bytes);
    const std::byte* const srcs[] = {input.data(), nullptr, nullptr};
    EXPECT_TRUE(
        prepared->kernel->Run({srcs, reinterpret_cast<std::byte*>(dst.data()), scratch.data()})
            .ok());
    return dst;
  };
  constexpr uint32_t kThreads = 4;
  std::vector<std::vector<float>> results(kThreads);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 20; ++repeat) results[i] = run(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint32_t i = 0; i < kThreads; ++i) EXPECT_EQ(results[i], run(i));
}

TEST(ReferenceBackend, CopiesValuesOfAnyDtypeBetweenDenseLayouts) {
  const Value value = {.dtype = DType::kInt64, .shape = {3}};
  const auto prepared = MakeReferenceBackend()->PrepareReorder(value, nullptr, nullptr);
  ASSERT_TRUE(prepared.ok());
  EXPECT_FALSE(prepared->in_place);
  const std::vector<int64_t> src = {1, int64_t{1} << 40, -3};
  std::vector<int64_t> dst(3);
  const std::byte* const srcs[] = {reinterpret_cast<const std::byte*>(src.data())};
  ASSERT_TRUE(
      prepared->kernel->Run({srcs, reinterpret_cast<std::byte*>(dst.data()), nullptr}).ok());
  EXPECT_EQ(dst, src);
}

class BlockedLayout : public Layout {
 public:
  size_t bytes() const override { return 64; }
  bool Equals(const Layout&) const override { return false; }
  std::string name() const override { return "nCw4c"; }
};

TEST(ReferenceBackend, KnowsNoOtherLayout) {
  const auto blocked = std::make_shared<BlockedLayout>();
  const Value value = {.dtype = DType::kFp32, .shape = {3}};
  const auto prepared = MakeReferenceBackend()->PrepareReorder(value, blocked, nullptr);
  EXPECT_EQ(prepared.status().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace lazynet::backend
