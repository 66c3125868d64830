#include "engine/plan/passes/fuse_ops.h"

#include <variant>

#include "tests/engine/plan/pass_test.h"

namespace lazynet::plan {
namespace {

using backend::Graph;
using backend::Op;
using backend::ValueId;

// Fuses binaries, and eltwises behind them, to products.
class FusingBackend final : public testing::NoKernels {
 public:
  bool Fuses(const Graph&, const Op& op, const Op& next) const override {
    return std::holds_alternative<backend::InnerProduct>(op.kind) &&
           (std::holds_alternative<backend::Binary>(next.kind) ||
            std::holds_alternative<backend::Eltwise>(next.kind));
  }
};

class FuseOpsTest : public testing::PassTest {
 protected:
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
