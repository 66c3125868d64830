#include "engine/plan/passes/fuse_ops.h"

#include <gtest/gtest.h>

#include <variant>

#include "engine/backend/packed_weights.h"

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::Op;
using backend::ValueId;

// Fuses binaries, and eltwises behind them, to products; makes no kernels.
class FusingBackend final : public backend::Backend {
 public:
  std::string_view name() const override { return "fusing"; }
  bool Supports(DType) const override { return true; }
  bool Fuses(const Graph&, const Op& op, const Op& next) const override {
    return std::holds_alternative<backend::InnerProduct>(op.kind) &&
           (std::holds_alternative<backend::Binary>(next.kind) ||
            std::holds_alternative<backend::Eltwise>(next.kind));
  }
  absl::StatusOr<backend::PreparedOp> Prepare(const Graph&, const Op&,
                                              std::span<const backend::LayoutPtr>,
                                              backend::PackedWeights&) const override {
    return Unimplemented("nothing to run");
  }
  absl::StatusOr<backend::PreparedOp> PrepareReorder(const backend::Value&,
                                                     const backend::LayoutPtr&,
                                                     const backend::LayoutPtr&) const override {
    return Unimplemented("nothing to run");
  }
};

// Layers on one input [2, 3], square so that all can be joined.
class FuseOpsTest : public ::testing::Test {
 protected:
  FuseOpsTest() : input_(graph_.AddInput(DType::kFp32, kShape)) {}

  ValueId Linear(ValueId src, std::string name) {
    const ValueId weights =
        graph_.AddConstant(DType::kFp32, {3, 3}, {.key = name, .make = nullptr});
    return graph_.AddOp(backend::InnerProduct{}, {src, weights, backend::kNoValue}, kShape, name);
  }
  ValueId Sum(ValueId a, ValueId b) {
    return graph_.AddOp(backend::Binary{}, {a, b}, kShape, "sum");
  }
  ValueId Relu(ValueId src) { return graph_.AddOp(backend::Eltwise{}, {src}, kShape, "relu"); }

  // The layers that run, fused ones joined.
  std::vector<std::string> Fused(std::vector<ValueId> outputs) {
    graph_.outputs = std::move(outputs);
    FuseOps(graph_, FusingBackend());
    std::vector<std::string> names;
    for (const Op& op : graph_.ops) {
      std::string name = op.layer;
      for (const Op& next : op.fused) name += "+" + next.layer;
      names.push_back(name);
    }
    return names;
  }

  static inline const Shape kShape{2, 3};
  Graph graph_;
  ValueId input_;
};

TEST_F(FuseOpsTest, JoinsAChain) {
  const ValueId output = Relu(Sum(Linear(input_, "a"), input_));
  EXPECT_EQ(Fused({output}), (std::vector<std::string>{"a+sum+relu"}));
  EXPECT_EQ(graph_.ops[0].result(), output);
  EXPECT_EQ(OperandsOf(graph_.ops[0]),
            (std::vector<ValueId>{input_, graph_.ops[0].inputs[1], backend::kNoValue, input_}));
}

TEST_F(FuseOpsTest, RunsWhereAllThatIsReadIsThere) {
  const ValueId a = Linear(input_, "a");
  const ValueId other = Relu(input_);
  EXPECT_EQ(Fused({Sum(a, other)}), (std::vector<std::string>{"relu", "a+sum"}));
}

TEST_F(FuseOpsTest, OfTwoTakesTheOneThatRunsLater) {
  const ValueId a = Linear(input_, "a");
  const ValueId b = Linear(input_, "b");
  EXPECT_EQ(Fused({Sum(a, b)}), (std::vector<std::string>{"a", "b+sum"}));
}

TEST_F(FuseOpsTest, LeavesWhatOthersReadToo) {
  const ValueId a = Linear(input_, "a");
  const ValueId sum = Sum(a, input_);
  EXPECT_EQ(Fused({Relu(a), sum}), (std::vector<std::string>{"a", "sum", "relu"}));
}

TEST_F(FuseOpsTest, LeavesOutputs) {
  const ValueId a = Linear(input_, "a");
  EXPECT_EQ(Fused({a, Relu(a)}), (std::vector<std::string>{"a", "relu"}));
}

TEST_F(FuseOpsTest, LeavesWhatIsReadTwiceByOne) {
  const ValueId a = Linear(input_, "a");
  EXPECT_EQ(Fused({Sum(a, a)}), (std::vector<std::string>{"a", "sum"}));
}

}  // namespace
}  // namespace lazynet::plan
