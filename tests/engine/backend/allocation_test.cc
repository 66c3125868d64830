#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "engine/backend/packed_weights.h"
#include "tests/engine/backend/backends.h"
#include "tests/support/counted_allocations.h"
#include "tests/support/run_op.h"

namespace lazynet::backend {
namespace {

using testing::ValuesOf;

// Beside tables, a kernel is a few objects.
constexpr size_t kObjects = 16 << 10;

absl::StatusOr<PreparedOp> Prepare(const Backend& backend, const Graph& graph) {
  PackedWeights packed;
  const Op& op = graph.ops.back();
  return backend.Prepare(graph, op, std::vector<LayoutPtr>(op.inputs.size()), packed);
}

// What the last op of a graph keeps once it is prepared.
size_t KeptBytes(const Backend& backend, const Graph& graph) {
  const size_t before = testing::HeldBytes();
  const auto prepared = Prepare(backend, graph);
  EXPECT_TRUE(prepared.ok()) << prepared.status();
  return testing::HeldBytes() - before;
}

class AllocationTest : public ::testing::TestWithParam<BackendCase> {
 protected:
  AllocationTest() : backend_(GetParam().make()) {}

  const Backend& backend() const { return *backend_; }

 private:
  std::unique_ptr<Backend> backend_;
};

TEST_P(AllocationTest, PadsKeepNoTables) {
  constexpr int64_t kMany = 1 << 18;
  const auto kept = [&](Pad pad, int64_t src, int64_t dst) {
    Graph graph;
    graph.AddOp(std::move(pad), {graph.AddInput(DType::kFp32, {1, 1, src})}, {1, 1, dst}, "pad");
    return KeptBytes(backend(), graph);
  };
  for (const auto mode :
       {Pad::Mode::kReflect, Pad::Mode::kReplicate, Pad::Mode::kCircular, Pad::Mode::kConstant}) {
    EXPECT_LT(kept({mode, {0, 0, 9}, {0, 0, 9}}, kMany, kMany + 18), kObjects);
    EXPECT_LT(kept({mode, {0, 0, kMany}, {0, 0, 0}}, kMany + 1, 2 * kMany + 1), kObjects);
  }
}

TEST_P(AllocationTest, BatchesOfProductsKeepNoTables) {
  constexpr int64_t kMany = 1 << 16;
  for (const DType dtype : {DType::kFp64, DType::kInt64}) {
    Graph graph;
    const ValueId src0 = graph.AddInput(dtype, {kMany, 1, 1});
    const ValueId src1 = graph.AddInput(dtype, {1, 1, 2});
    graph.AddOp(MatMul{}, {src0, src1}, {kMany, 1, 2}, "matmul");
    EXPECT_LT(KeptBytes(backend(), graph), kObjects);
  }
}

TEST_P(AllocationTest, BagsOfEmbeddingsAllocateNothingWhenRun) {
  const Tensor ids = ValuesOf<int64_t>(DType::kInt64, {4}, {0, 2, 1, 1});
  const Tensor offsets = ValuesOf<int64_t>(DType::kInt64, {2}, {0, 3});
  const Tensor table = testing::Noise({3, 5}, 1);
  for (const bool with_offsets : {false, true}) {
    Graph graph;
    const ValueId ids_id = graph.AddInput(DType::kInt64, {4});
    const ValueId offsets_id = with_offsets ? graph.AddInput(DType::kInt64, {2}) : kNoValue;
    const ValueId table_id = graph.AddInput(DType::kFp32, {3, 5});
    graph.AddOp(EmbeddingBag{}, {ids_id, offsets_id, table_id, kNoValue}, {2, 5}, "bags",
                DType::kFp32);
    const auto prepared = Prepare(backend(), graph);
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    std::vector<float> dst(10);
    std::vector<double> scratch(prepared->scratch_bytes / sizeof(double));
    const std::byte* srcs[] = {ids.data(), with_offsets ? offsets.data() : nullptr, table.data(),
                               nullptr};
    const Kernel::Buffers buffers = {srcs, reinterpret_cast<std::byte*>(dst.data()),
                                     reinterpret_cast<std::byte*>(scratch.data())};
    const size_t before = testing::Allocations();
    const absl::Status status = prepared->kernel->Run(buffers);
    const size_t made = testing::Allocations() - before;
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(made, 0u);
  }
}

TEST_P(AllocationTest, RecurrentLayersAllocateNothingWhenRun) {
  const Tensor src = testing::Noise({70, 2, 5}, 1);
  Graph graph;
  const auto constant = [&](const Shape& shape) {
    return graph.AddConstant(
        DType::kFp32, shape,
        {shape.ToString(), [shape] { return absl::StatusOr<Tensor>(testing::Noise(shape, 2)); }});
  };
  const ValueId src_id = graph.AddInput(DType::kFp32, src.shape());
  const ValueId layer = constant({40, 5});
  const ValueId iteration = constant({40, 10});
  graph.AddOp(Recurrent{},
              {src_id, layer, iteration, kNoValue, kNoValue, kNoValue, kNoValue, kNoValue},
              {70 * 2 * 10 + 2 * 10}, "lstm");
  const auto prepared = Prepare(backend(), graph);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  auto dst = *Buffer::Allocate((70 * 2 * 10 + 2 * 10) * sizeof(float));
  auto scratch = *Buffer::Allocate(prepared->scratch_bytes);
  std::vector<const std::byte*> srcs(8);
  srcs[0] = src.data();
  const Kernel::Buffers buffers = {srcs, dst.data(), scratch.data()};
  // The first run may start threads.
  ASSERT_TRUE(prepared->kernel->Run(buffers).ok());
  const size_t before = testing::Allocations();
  const absl::Status status = prepared->kernel->Run(buffers);
  const size_t made = testing::Allocations() - before;
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(made, 0u);
}

// Per element of dst an offset, and where it is a sum, two offsets and their weights.
TEST(OnednnAllocation, ResamplingKeepsFourBytesOfEachOffsetAndWeight) {
  const auto backend = MakeOnednnBackend(MakeReferenceBackend());
  const auto kept = [&](Resampling::Mode mode) {
    Graph graph;
    graph.AddOp(Resampling{mode, false, {0.5}}, {graph.AddInput(DType::kFp32, {1, 1, 1 << 16})},
                {1, 1, 1 << 17}, "up");
    return KeptBytes(*backend, graph);
  };
  EXPECT_LT(kept(Resampling::Mode::kNearest), kObjects + 4 * (1 << 17));
  EXPECT_LT(kept(Resampling::Mode::kLinear), kObjects + 16 * (1 << 17));
}

INSTANTIATE_TEST_SUITE_P(Backends, AllocationTest, ::testing::ValuesIn(Backends()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lazynet::backend
