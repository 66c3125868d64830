#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/packed_weights.h"
#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::Convolution;
using backend::Deconvolution;
using backend::Graph;
using backend::InnerProduct;
using backend::LayoutPtr;
using backend::PackedWeights;
using backend::PreparedOp;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

backend::Constant ConstantOf(std::string key, const Tensor& tensor) {
  return {std::move(key), [tensor] { return absl::StatusOr<Tensor>(tensor); }};
}

Graph LinearGraph(int64_t batch, const Tensor& weights, const Tensor& bias) {
  Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {batch, weights.shape().dim(1)});
  const auto w = graph.AddConstant(DType::kFp32, weights.shape(), ConstantOf("fc.weight", weights));
  const auto b = graph.AddConstant(DType::kFp32, bias.shape(), ConstantOf("fc.bias", bias));
  graph.AddOp(InnerProduct{}, {src, w, b}, {batch, weights.shape().dim(0)}, "fc");
  return graph;
}

Graph ConvolutionGraph(int64_t batch, int64_t size, const Tensor& weights) {
  Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {batch, weights.shape().dim(1), size, size});
  const auto w =
      graph.AddConstant(DType::kFp32, weights.shape(), ConstantOf("conv.weight", weights));
  graph.AddOp(Convolution{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}, {src, w, backend::kNoValue},
              {batch, weights.shape().dim(0), size, size}, "conv");
  return graph;
}

absl::StatusOr<PreparedOp> Prepare(const Graph& graph, PackedWeights& packed,
                                   const backend::Backend& onednn = Onednn()) {
  const std::vector<LayoutPtr> dense(graph.ops.back().inputs.size());
  return onednn.Prepare(graph, graph.ops.back(), dense, packed);
}

TEST(OnednnBackend, AloneComputesFp32Only) {
  EXPECT_EQ(Onednn().name(), "onednn");
  EXPECT_TRUE(Onednn().Supports(DType::kFp32));
  EXPECT_FALSE(Onednn().Supports(DType::kFp64));
  EXPECT_FALSE(Onednn().Supports(DType::kInt64));
  const Tensor src = Values64({2}, {1, 2});
  const auto result = RunArrived(backend::Eltwise{}, {Source(src)}, {2}, Arrival::kDense);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(Message(result.status())), HasSubstr("layer \"op\""));
}

TEST(OnednnBackend, LeavesEmptyTensorsToTheFallbackInsteadOfEndingTheProcess) {
  const Tensor weights = Noise({3, 4}, 1);
  PackedWeights packed;
  const auto prepared = Prepare(LinearGraph(0, weights, Noise({3}, 2)), packed);
  EXPECT_EQ(prepared.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(Message(prepared.status())), HasSubstr("layer \"fc\""));
}

TEST(OnednnBackend, BatchSizesShareTheirPackedWeights) {
  const Tensor weights = Noise({48, 80}, 1);
  const Tensor bias = Noise({48}, 2);
  const Tensor filters = Noise({32, 16, 3, 3}, 3);
  PackedWeights packed;
  const auto linear = Prepare(LinearGraph(1, weights, bias), packed);
  const auto convolution = Prepare(ConvolutionGraph(1, 14, filters), packed);
  ASSERT_TRUE(linear.ok() && convolution.ok()) << linear.status() << convolution.status();
  const size_t bytes = packed.bytes();
  EXPECT_GE(bytes, weights.bytes() + bias.bytes() + filters.bytes());
  for (const int64_t batch : {2, 8, 33}) {
    const auto other_linear = Prepare(LinearGraph(batch, weights, bias), packed);
    const auto other_convolution = Prepare(ConvolutionGraph(batch, 14, filters), packed);
    ASSERT_TRUE(other_linear.ok() && other_convolution.ok());
    EXPECT_EQ(packed.bytes(), bytes) << batch;
  }
}

// One parameter, read as (O, C) by the one and as (C, O) by the other.
TEST(OnednnBackend, AConvolutionAndADeconvolutionMayShareAParameter) {
  const Tensor weights = Noise({16, 16, 3, 3}, 1);
  const Tensor src = Noise({1, 16, 6, 6}, 2);
  const Convolution convolution{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
  const Deconvolution deconvolution{{1, 1}, {1, 1}, {1, 1}, 1};
  PackedWeights packed;
  Graph graph;
  const auto input = graph.AddInput(DType::kFp32, src.shape());
  const auto shared = graph.AddConstant(DType::kFp32, weights.shape(), ConstantOf("w", weights));
  graph.AddOp(convolution, {input, shared, backend::kNoValue}, src.shape(), "conv");
  graph.AddOp(deconvolution, {input, shared, backend::kNoValue}, src.shape(), "deconv");
  const std::vector<double> wants[] = {
      ConvolutionOf(convolution, src, weights, nullptr, src.shape()),
      DeconvolutionOf(deconvolution, src, weights, nullptr, src.shape())};
  const backend::Value& value = graph.value(input);
  for (size_t i = 0; i < 2; ++i) {
    const std::vector<LayoutPtr> dense(3);
    const auto prepared = Onednn().Prepare(graph, graph.ops[i], dense, packed);
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    const auto run = [&](const PreparedOp& op, const std::byte* from, size_t bytes) {
      auto to = *Buffer::Allocate(bytes);
      auto scratch = *Buffer::Allocate(op.scratch_bytes);
      const std::vector<const std::byte*> srcs{from, nullptr, nullptr};
      EXPECT_TRUE(op.kernel->Run({srcs, to.data(), scratch.data()}).ok());
      return to;
    };
    const LayoutPtr& src_layout = prepared->src_layouts[0];
    const Buffer arranged = run(*Onednn().PrepareReorder(value, nullptr, src_layout), src.data(),
                                backend::LayoutBytes(value, src_layout));
    const Buffer computed =
        run(*prepared, arranged.data(), backend::LayoutBytes(value, prepared->dst_layout));
    const Buffer dst = run(*Onednn().PrepareReorder(value, prepared->dst_layout, nullptr),
                           computed.data(), src.bytes());
    ExpectNear({reinterpret_cast<const float*>(dst.data()), wants[i].size()}, wants[i], 2e-5, 0);
  }
}

TEST(OnednnBackend, ThreadsMayRunOneKernelAtOnce) {
  const Tensor weights = Noise({64, 96}, 1);
  const Tensor bias = Noise({64}, 2);
  PackedWeights packed;
  const auto prepared = Prepare(LinearGraph(4, weights, bias), packed);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      omp_set_num_threads(1);
      const Tensor src = Noise({4, 96}, thread + 10);
      const std::vector<double> want = InnerProductOf(src, weights, &bias);
      auto dst = *Buffer::Allocate(want.size() * sizeof(float));
      auto scratch = *Buffer::Allocate(prepared->scratch_bytes);
      const std::vector<const std::byte*> srcs{src.data(), nullptr, nullptr};
      for (int run = 0; run < 200; ++run) {
        std::memset(dst.data(), 0xff, dst.size());
        if (!prepared->kernel->Run({srcs, dst.data(), scratch.data()}).ok()) ++wrong;
        const auto* got = reinterpret_cast<const float*>(dst.data());
        for (size_t i = 0; i < want.size(); ++i) {
          if (!(std::abs(got[i] - want[i]) < 1e-4)) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(OnednnBackend, AKernelOutlivesTheWeightsTableAndTheGraph) {
  const Tensor weights = Noise({8, 8}, 1);
  const Tensor bias = Noise({8}, 2);
  absl::StatusOr<PreparedOp> prepared = Internal("not yet");
  {
    PackedWeights packed;
    const Graph graph = LinearGraph(2, weights, bias);
    prepared = Prepare(graph, packed);
  }
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const Tensor src = Noise({2, 8}, 3);
  std::vector<float> dst(16);
  auto scratch = *Buffer::Allocate(prepared->scratch_bytes);
  const std::vector<const std::byte*> srcs{src.data(), nullptr, nullptr};
  ASSERT_TRUE(
      prepared->kernel->Run({srcs, reinterpret_cast<std::byte*>(dst.data()), scratch.data()}).ok());
  ExpectNear(dst, InnerProductOf(src, weights, &bias), 1e-5, 0);
}

TEST(OnednnBackend, AConstantThatCannotBeMadeIsTheOpsError) {
  Graph graph = LinearGraph(1, Noise({3, 4}, 1), Noise({3}, 2));
  graph.constants[0].make = [] { return absl::StatusOr<Tensor>(NotFound("no such file")); };
  PackedWeights packed;
  const auto prepared = Prepare(graph, packed);
  EXPECT_EQ(prepared.status().code(), absl::StatusCode::kNotFound);
}

// Remembers what it was asked for and prepares nothing.
class Fallback final : public backend::Backend {
 public:
  explicit Fallback(std::vector<std::string>* asked) : asked_(asked) {}
  std::string_view name() const override { return "fallback"; }
  bool Supports(DType) const override { return true; }
  absl::StatusOr<PreparedOp> Prepare(const Graph&, const backend::Op& op,
                                     std::span<const LayoutPtr> src_layouts,
                                     PackedWeights&) const override {
    for (const LayoutPtr& layout : src_layouts) EXPECT_EQ(layout, nullptr);
    asked_->emplace_back(backend::Name(op.kind));
    return PreparedOp{};
  }
  absl::StatusOr<PreparedOp> PrepareReorder(const backend::Value&, const LayoutPtr&,
                                            const LayoutPtr&) const override {
    return PreparedOp{};
  }

 private:
  std::vector<std::string>* asked_;
};

TEST(OnednnBackend, TheFallbackGetsDenseInputs) {
  std::vector<std::string> asked;
  const auto onednn = backend::MakeOnednnBackend(std::make_unique<Fallback>(&asked));
  Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {1, 3, 4, 4});
  graph.AddOp(backend::Triangle{}, {src}, {1, 3, 4, 4}, "tril");
  PackedWeights packed;
  const std::vector<LayoutPtr> layouts{LayoutOf(Arrival::kChannelsLast, {1, 3, 4, 4})};
  EXPECT_TRUE(onednn->Prepare(graph, graph.ops.back(), layouts, packed).ok());
  EXPECT_THAT(asked, ::testing::ElementsAre("triangle"));
  const auto alone = Onednn().Prepare(graph, graph.ops.back(), layouts, packed);
  EXPECT_EQ(alone.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(Message(alone.status())), HasSubstr("layer \"tril\""));
}

TEST(OnednnBackend, TheFallbackGetsOtherDTypes) {
  std::vector<std::string> asked;
  const auto onednn = backend::MakeOnednnBackend(std::make_unique<Fallback>(&asked));
  EXPECT_TRUE(onednn->Supports(DType::kFp64));
  PackedWeights packed;
  const auto prepare = [&](backend::OpKind kind, DType src, DType dst) {
    Graph graph;
    graph.AddOp(std::move(kind), {graph.AddInput(src, {2, 2})}, {2, 2}, "op", dst);
    return onednn->Prepare(graph, graph.ops.back(), std::vector<LayoutPtr>(1), packed).ok();
  };
  EXPECT_TRUE(prepare(backend::Eltwise{}, DType::kFp64, DType::kFp64));
  EXPECT_TRUE(prepare(backend::Softmax{}, DType::kFp64, DType::kFp64));
  EXPECT_TRUE(prepare(backend::Cast{}, DType::kFp32, DType::kFp16));
  EXPECT_TRUE(prepare(backend::Cast{}, DType::kInt64, DType::kFp32));
  EXPECT_THAT(asked, ::testing::ElementsAre("eltwise", "softmax", "cast", "cast"));
  EXPECT_TRUE(prepare(backend::Eltwise{}, DType::kFp32, DType::kFp32));
  EXPECT_EQ(asked.size(), 4u);
}

TEST(OnednnBackend, TheFallbackGetsEmptyInputs) {
  std::vector<std::string> asked;
  const auto onednn = backend::MakeOnednnBackend(std::make_unique<Fallback>(&asked));
  Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {1, 2, 0});
  graph.AddOp(backend::Pad{backend::Pad::Mode::kConstant, {0, 0, 1}, {0, 0, 1}}, {src}, {1, 2, 2},
              "pad");
  PackedWeights packed;
  EXPECT_TRUE(onednn->Prepare(graph, graph.ops.back(), std::vector<LayoutPtr>(1), packed).ok());
  EXPECT_THAT(asked, ::testing::ElementsAre("pad"));
}

TEST(OnednnBackend, ProductsAndConvolutionsHaveFastKernels) {
  PackedWeights packed;
  for (const int64_t batch : {1, 8}) {
    const auto linear = Prepare(LinearGraph(batch, Noise({10, 64}, 1), Noise({10}, 2)), packed);
    ASSERT_TRUE(linear.ok()) << linear.status();
    EXPECT_THAT(linear->implementation, Not(StartsWith("ref")));
    const auto convolution = Prepare(ConvolutionGraph(batch, 14, Noise({32, 16, 3, 3}, 3)), packed);
    ASSERT_TRUE(convolution.ok()) << convolution.status();
    EXPECT_THAT(convolution->implementation, Not(StartsWith("ref")));
    EXPECT_THAT(convolution->implementation, Not(HasSubstr("x64:gemm")));
  }
}

// Prints which kernels this machine gets, for reading only.
TEST(OnednnBackend, ReportsItsKernels) {
  const auto report = [](const char* what, const backend::OpKind& kind,
                         const std::vector<OpInput>& inputs, const Shape& dst) {
    for (const Arrival arrival : kArrivals) {
      const auto result = RunArrived(kind, inputs, dst, arrival);
      std::printf("%-28s %-14s %s\n", what, Name(arrival).c_str(),
                  result.ok() ? result->implementation.c_str()
                              : std::string(Message(result.status())).c_str());
    }
  };
  const auto convolution = [&](const char* what, const Shape& src, const Shape& weights,
                               int64_t groups) {
    const size_t axes = static_cast<size_t>(src.rank()) - 2;
    backend::AxisVector ones(axes, 1);
    backend::AxisVector padding;
    Shape dst = src;
    dst.set_dim(1, weights.dim(0));
    for (size_t i = 0; i < axes; ++i) padding.push_back(weights.dim(static_cast<int>(i) + 2) / 2);
    report(what, Convolution{ones, ones, padding, padding, groups},
           {Source(Noise(src, 1)), Constant(Noise(weights, 2)), Absent()}, dst);
  };
  report("inner_product 64x128", InnerProduct{},
         {Source(Noise({1, 64}, 1)), Constant(Noise({128, 64}, 2)), Absent()}, {1, 128});
  convolution("convolution 3x3", {1, 32, 14, 14}, {32, 32, 3, 3}, 1);
  convolution("convolution 1x1", {1, 32, 14, 14}, {64, 32, 1, 1}, 1);
  convolution("convolution 3 channels", {1, 3, 32, 32}, {32, 3, 7, 7}, 1);
  convolution("convolution 1 channel", {1, 1, 28, 28}, {6, 1, 5, 5}, 1);
  convolution("convolution depthwise", {1, 32, 14, 14}, {32, 1, 3, 3}, 32);
  convolution("convolution groups 3 of 2", {1, 6, 14, 14}, {6, 2, 3, 3}, 3);
  convolution("convolution groups 4 of 16", {1, 64, 14, 14}, {64, 16, 3, 3}, 4);
  convolution("convolution 1-d", {1, 32, 50}, {32, 32, 3}, 1);
  convolution("convolution 1-d depthwise", {1, 32, 50}, {32, 1, 3}, 32);
  convolution("convolution 3-d", {1, 16, 6, 6, 6}, {16, 16, 3, 3, 3}, 1);
  convolution("convolution 3-d depthwise", {1, 16, 6, 6, 6}, {16, 1, 3, 3, 3}, 16);
  const auto deconvolution = [&](const char* what, const Shape& weights, int64_t groups) {
    report(what, Deconvolution{{2, 2}, {1, 1}, {1, 1}, groups},
           {Source(Noise({1, weights.dim(0), 8, 8}, 1)), Constant(Noise(weights, 2)), Absent()},
           {1, weights.dim(1) * groups, 16, 16});
  };
  deconvolution("deconvolution 4x4", {32, 16, 4, 4}, 1);
  deconvolution("deconvolution groups", {32, 4, 4, 4}, 4);
  deconvolution("deconvolution depthwise", {32, 1, 4, 4}, 32);
  const Shape image{2, 32, 8, 8};
  const Tensor src = Noise(image, 1);
  const Tensor channel = Noise({32}, 2);
  for (const auto kind : {backend::Pooling::Kind::kMax, backend::Pooling::Kind::kAverage}) {
    report(kind == backend::Pooling::Kind::kMax ? "pooling max" : "pooling average",
           backend::Pooling{kind, {2, 2}, {2, 2}, {1, 1}, {0, 0}, true, std::nullopt},
           {Source(src)}, {2, 32, 4, 4});
  }
  using Statistics = backend::Normalization::Statistics;
  report("normalization given", backend::Normalization{Statistics::kGiven, 1e-5},
         {Source(src), Constant(channel), Constant(Values({32}, std::vector<float>(32, 1))),
          Constant(channel), Constant(channel)},
         image);
  for (const auto statistics : {Statistics::kPerBatch, Statistics::kPerInstance}) {
    report(statistics == Statistics::kPerBatch ? "normalization batch" : "normalization instance",
           backend::Normalization{statistics, 1e-5},
           {Source(src), Absent(), Absent(), Constant(channel), Constant(channel)}, image);
  }
  report("normalization group", backend::Normalization{Statistics::kPerGroup, 1e-5, 4},
         {Source(src), Absent(), Absent(), Constant(channel), Constant(channel)}, image);
  report("layer_normalization", backend::LayerNormalization{},
         {Source(Noise({64, 256}, 1)), Absent(), Absent()}, {64, 256});
  report("matmul values", backend::MatMul{},
         {Source(Noise({8, 32, 64}, 1)), Source(Noise({8, 64, 32}, 2))}, {8, 32, 32});
  report("matmul transposed", backend::MatMul{true, 0.125},
         {Source(Noise({8, 32, 64}, 1)), Source(Noise({8, 32, 64}, 2))}, {8, 32, 32});
  report("matmul constant", backend::MatMul{},
         {Source(Noise({8, 32, 64}, 1)), Constant(Noise({1, 64, 32}, 2))}, {8, 32, 32});
  for (const auto cell : {backend::Recurrent::Cell::kRnnTanh, backend::Recurrent::Cell::kLstm,
                          backend::Recurrent::Cell::kGru}) {
    const bool lstm = cell == backend::Recurrent::Cell::kLstm;
    const int64_t rows = 64 * (lstm ? 4 : cell == backend::Recurrent::Cell::kGru ? 3 : 1);
    report(lstm         ? "lstm"
           : rows == 64 ? "rnn"
                        : "gru",
           backend::Recurrent{cell, false},
           {Source(Noise({5, 2, 32}, 1)), Constant(Noise({rows, 32}, 2)),
            Constant(Noise({rows, 64}, 3)), Absent(), Absent(), Absent(), Absent(), Absent()},
           {5 * 2 * 64 + (lstm ? 2 * 64 : 0)});
  }
  report("permute", backend::Permute{{0, 2, 1, 3}}, {Source(src)}, {2, 8, 32, 8});
  report("softmax axis 1", backend::Softmax{1, false}, {Source(src)}, image);
  report("softmax axis 3", backend::Softmax{3, false}, {Source(src)}, image);
  report("eltwise relu", backend::Eltwise{}, {Source(src)}, image);
  report("eltwise gelu", backend::Eltwise{backend::Eltwise::Algorithm::kGeluErf, 0, 0},
         {Source(src)}, image);
  report("prelu", backend::Prelu{}, {Source(src), Constant(channel)}, image);
  report("binary equal", backend::Binary{}, {Source(src), Source(src)}, image);
  report("binary per channel", backend::Binary{}, {Source(src), Constant(Noise({32, 1, 1}, 1))},
         image);
  report("binary per pixel", backend::Binary{}, {Source(src), Constant(Noise({1, 1, 8, 8}, 1))},
         image);
  report("concat axis 1", backend::Concat{1}, {Source(src), Source(src)}, {2, 64, 8, 8});
}

}  // namespace
}  // namespace lazynet::testing
