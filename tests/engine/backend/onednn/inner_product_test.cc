#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/packed_weights.h"
#include "tests/engine/backend/onednn/harness.h"
#include "tests/engine/backend/onednn/oracle.h"

namespace lazynet::testing {
namespace {

using backend::Eltwise;
using backend::InnerProduct;
using ::testing::Not;
using ::testing::StartsWith;

TEST(OnednnInnerProduct, AgreesWithLoops) {
  for (const int64_t m : {1, 2, 7, 13, 64}) {
    for (const auto& [k, n] : std::vector<std::pair<int64_t, int64_t>>{{1, 1},
                                                                       {3, 5},
                                                                       {17, 33},
                                                                       {20, 50},
                                                                       {784, 10},
                                                                       {64, 1},
                                                                       {129, 1},
                                                                       {1, 64},
                                                                       {9, 200},
                                                                       {512, 512}}) {
      SCOPED_TRACE(fmt::format("{} x {} x {}", m, k, n));
      const Tensor src = Noise({m, k}, 1);
      const Tensor weights = Noise({n, k}, 2);
      const Tensor bias = Noise({n}, 3);
      ExpectInAllLayouts(InnerProduct{}, {Source(src), Constant(weights), Constant(bias)}, {m, n},
                         InnerProductOf(src, weights, &bias), Tolerance(k));
      ExpectInAllLayouts(InnerProduct{}, {Source(src), Constant(weights), Absent()}, {m, n},
                         InnerProductOf(src, weights, nullptr), Tolerance(k));
    }
  }
}

std::string ImplementationOf(int64_t items, int64_t in, int64_t out) {
  const auto result = RunArrived(
      InnerProduct{}, {Source(Noise({items, in}, 1)), Constant(Noise({out, in}, 2)), Absent()},
      {items, out}, Arrival::kDense);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->implementation : "";
}

// Else an item would have other bits in another batch.
TEST(OnednnInnerProduct, ItIsTheWeightsThatDecideWhoseKernelRuns) {
  for (const int64_t items : {1, 5, 300}) {
    EXPECT_THAT(ImplementationOf(items, 96, 10), StartsWith("own:"));
    EXPECT_THAT(ImplementationOf(items, 128, 256), StartsWith("own:"));
    EXPECT_THAT(ImplementationOf(items, 256, 256), Not(StartsWith("own:")));
    EXPECT_THAT(ImplementationOf(items, 2048, 1), Not(StartsWith("own:")));
  }
}

TEST(OnednnInnerProduct, AnItemHasTheSameBitsInEveryBatchOfSmallOnes) {
  for (const auto& [k, n] :
       std::vector<std::pair<int64_t, int64_t>>{{96, 10}, {50, 33}, {70, 48}, {120, 84}}) {
    const Tensor src = Noise({41, k}, 1);
    const auto rows = src.values<float>();
    const OpInput weights = Constant(Noise({n, k}, 2));
    const OpInput bias = Constant(Noise({n}, 3));
    const auto together =
        RunArrived(InnerProduct{}, {Source(src), weights, bias}, {41, n}, Arrival::kDense);
    ASSERT_TRUE(together.ok()) << together.status();
    for (int64_t item = 0; item < 41; ++item) {
      const auto row = rows.subspan(static_cast<size_t>(item * k), static_cast<size_t>(k));
      const Tensor one = Values({1, k}, {row.begin(), row.end()});
      const auto alone =
          RunArrived(InnerProduct{}, {Source(one), weights, bias}, {1, n}, Arrival::kDense);
      ASSERT_TRUE(alone.ok()) << alone.status();
      EXPECT_EQ(std::memcmp(alone->dst.data(),
                            together->dst.data() + static_cast<size_t>(item) * alone->dst.bytes(),
                            alone->dst.bytes()),
                0)
          << "item " << item << " of " << k << " x " << n;
    }
  }
}

// As Fuses allows it, that is more than has to be.
TEST(OnednnInnerProduct, FusedActivationsOfSmallOnesKeepNan) {
  const Tensor src = Values({4, 2}, {NAN, 1, -3, 1, 2, 1, INFINITY, 1});
  for (const bool relu : {true, false}) {
    backend::Graph graph;
    const auto in = graph.AddInput(DType::kFp32, src.shape());
    const Tensor weights = Values({1, 2}, {1, 0.5});
    const auto constant = graph.AddConstant(DType::kFp32, weights.shape(),
                                            {"w", [&] { return absl::StatusOr<Tensor>(weights); }});
    const auto sums = graph.AddOp(InnerProduct{}, {in, constant, backend::kNoValue}, {4, 1}, "fc");
    const Eltwise activation =
        relu ? Eltwise{Eltwise::Algorithm::kRelu} : Eltwise{Eltwise::Algorithm::kClamp, -1, 2};
    graph.AddOp(activation, {sums}, {4, 1}, "activation");
    backend::Op op = graph.ops[0];
    ASSERT_TRUE(Onednn().Fuses(graph, op, graph.ops[1]));
    op.fused = {graph.ops[1]};
    backend::PackedWeights packed;
    const std::vector<backend::LayoutPtr> dense(3);
    const auto prepared = Onednn().Prepare(graph, op, dense, packed);
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    std::vector<float> dst(4);
    const std::vector<const std::byte*> srcs{src.data(), nullptr, nullptr};
    ASSERT_TRUE(
        prepared->kernel->Run({srcs, reinterpret_cast<std::byte*>(dst.data()), nullptr}).ok());
    if (relu) {
      ExpectNear(dst, {NAN, 0, 2.5, INFINITY}, 0, 0);
    } else {
      ExpectNear(dst, {NAN, -1, 2, 2}, 0, 0);
    }
  }
}

}  // namespace
}  // namespace lazynet::testing
