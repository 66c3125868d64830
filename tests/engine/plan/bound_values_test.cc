#include "engine/plan/passes/bound_values.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <vector>

#include "tests/support/run_op.h"

namespace lazynet::plan {
namespace {

using backend::Eltwise;
using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::ValueId;
using testing::Values;

// Linear layers of [1, 2] with two equal rows of weights, each with a fused activation.
class BoundValuesTest : public ::testing::Test {
 protected:
  BoundValuesTest() : last_(graph_.AddInput(DType::kFp32, {1, 2})) {}

  // Its output is at most `gain` times its input.
  void AddLinear(float gain, std::optional<Eltwise> activation = Eltwise{}) {
    const std::string name = "fc" + std::to_string(graph_.ops.size());
    const float half = gain / 2;
    const ValueId weights = graph_.AddConstant(DType::kFp32, {2, 2},
                                               {.key = name, .make = [half] {
                                                  return Values({2, 2}, {half, -half, -half, half});
                                                }});
    last_ = graph_.AddOp(backend::InnerProduct{}, {last_, weights, kNoValue}, {1, 2}, name);
    if (!activation) return;
    last_ = graph_.AddOp(*activation, {last_}, {1, 2}, name + " activation");
    Op next = std::move(graph_.ops.back());
    graph_.ops.pop_back();
    graph_.ops.back().fused.push_back(std::move(next));
  }

  // Before which ops something is checked.
  std::vector<size_t> Checked() {
    graph_.outputs = {last_};
    backend::PackedWeights packed;
    const auto checks = BoundValues(graph_, packed);
    LAZYNET_CHECK(checks.ok());
    std::vector<size_t> ops;
    for (const CheckedValue& check : *checks) {
      EXPECT_EQ(check.value, graph_.ops[check.before_op].inputs[0]);
      ops.push_back(check.before_op);
    }
    return ops;
  }

  Graph graph_;
  ValueId last_;
};

TEST_F(BoundValuesTest, NothingIsCheckedWithoutFusedActivations) {
  AddLinear(1, std::nullopt);
  EXPECT_TRUE(Checked().empty());
}

TEST_F(BoundValuesTest, OfASmallNetworkTheInputIsChecked) {
  for (int i = 0; i < 5; ++i) AddLinear(10);
  EXPECT_EQ(Checked(), (std::vector<size_t>{0}));
}

TEST_F(BoundValuesTest, OfADeepOneSomeValuesOnTheWay) {
  // From 1e12 on, four times 1e4 are 1e28, and a fifth would be more than is safe.
  for (int i = 0; i < 12; ++i) AddLinear(1e4f);
  EXPECT_EQ(Checked(), (std::vector<size_t>{0, 4, 8}));
}

TEST_F(BoundValuesTest, AClampBoundsWhatComesAfterIt) {
  for (int i = 0; i < 12; ++i) {
    AddLinear(1e4f, Eltwise{.algorithm = Eltwise::Algorithm::kClamp, .alpha = 0, .beta = 6});
  }
  EXPECT_EQ(Checked(), (std::vector<size_t>{0}));
}

TEST_F(BoundValuesTest, WhatIsNotKnownIsChecked) {
  AddLinear(10);
  const Eltwise exp{.algorithm = Eltwise::Algorithm::kExp};
  last_ = graph_.AddOp(exp, {last_}, {1, 2}, "exp");
  AddLinear(10);
  EXPECT_EQ(Checked(), (std::vector<size_t>{0, 2}));
}

TEST_F(BoundValuesTest, LayersWhoseWeightsAreNoNumbersAreTakenApart) {
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f}) {
    graph_.ops.clear();
    last_ = graph_.inputs[0];
    AddLinear(wrong);
    Checked();
    ASSERT_EQ(graph_.ops.size(), 2u);
    EXPECT_TRUE(graph_.ops.front().fused.empty());
    EXPECT_EQ(graph_.ops.back().output, last_);
  }
}

TEST_F(BoundValuesTest, ConvolutionsByWinogradAreOfNumbersOnly) {
  for (const float weight : {1.0f, std::numeric_limits<float>::infinity()}) {
    SCOPED_TRACE(weight);
    Graph graph;
    const ValueId input = graph.AddInput(DType::kFp32, {1, 1, 4, 4});
    const ValueId weights =
        graph.AddConstant(DType::kFp32, {1, 1, 1, 1}, {.key = "w", .make = [weight] {
                                                         return Values({1, 1, 1, 1}, {weight});
                                                       }});
    const backend::Convolution winograd{{1, 1}, {1, 1}, {0, 0}, {0, 0}, 1, true};
    graph.outputs = {graph.AddOp(winograd, {input, weights, kNoValue}, {1, 1, 4, 4}, "conv")};
    backend::PackedWeights packed;
    const auto checks = BoundValues(graph, packed);
    ASSERT_TRUE(checks.ok());
    EXPECT_EQ(checks->size(), 1u);
    EXPECT_EQ(std::get<backend::Convolution>(graph.ops[0].kind).winograd, weight == 1.0f);
  }
}

TEST_F(BoundValuesTest, ConstantsAreMeasuredOnceAndNotHeld) {
  std::weak_ptr<const void> held;
  int made = 0;
  AddLinear(10);
  graph_.constants[0].make = [&] {
    ++made;
    const auto owner = std::make_shared<Tensor>(Values({2, 2}, {1, 1, 1, 1}));
    held = owner;
    return Tensor::Wrap(DType::kFp32, {2, 2}, owner, owner->data());
  };
  backend::PackedWeights packed;
  ASSERT_TRUE(BoundValues(graph_, packed).ok());
  EXPECT_TRUE(held.expired());
  ASSERT_TRUE(BoundValues(graph_, packed).ok());
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace lazynet::plan
