#include <gtest/gtest.h>

#include "engine/core/float16.h"
#include "engine/nn/parameter_set.h"
#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::NetworkOf;
using testing::PerAxis;
using testing::Values;

std::shared_ptr<const Network> TwoLayers() {
  return NetworkOf(DefinitionOf(
      {LayerOf("conv", "Conv1d",
               {Arg("out_channels", 4), PerAxis("kernel_size", {1}), Arg("groups", 2)}),
       LayerOf("bn", "BatchNorm1d")}));
}

std::string ErrorOf(const StateDict& state_dict) {
  const auto network = TwoLayers();
  const auto set = LoadStateDict(*network, ParameterSet::Declared(*network), state_dict);
  return set.ok() ? "" : std::string(Message(set.status()));
}

TEST(StateDict, AKeyTellsTheSizesOfItsLayer) {
  const auto network = TwoLayers();
  const StateDict state_dict{{"conv.weight", Values({4, 3, 1}, std::vector<float>(12, 1.0f))}};
  const auto set = LoadStateDict(*network, ParameterSet::Declared(*network), state_dict);
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->sizes()[0][0], 6);  // 3 channels in each of 2 groups
  EXPECT_EQ(set->sizes()[1][0], kUnknownDim);
  EXPECT_FALSE(set->complete());
  EXPECT_EQ(set->value(0, 0)->origin, Origin::kCheckpoint);
}

TEST(StateDict, LoadedSizesConstrainTheFirstRequest) {
  const auto network = TwoLayers();
  const StateDict state_dict{{"conv.weight", Values({4, 3, 1}, std::vector<float>(12, 1.0f))}};
  const auto set = LoadStateDict(*network, ParameterSet::Declared(*network), state_dict);
  const Shape wrong{1, 4, 5};
  EXPECT_EQ(Message(Materialize(*network, *set, {&wrong, 1}, {}).status()),
            "layer \"conv\" (Conv1d): wants in_channels 6, got 4");
  const Shape right{1, 6, 5};
  const auto complete = Materialize(*network, *set, {&right, 1}, {});
  ASSERT_TRUE(complete.ok());
  EXPECT_EQ(complete->value(0, 0)->tensor.values<float>()[0], 1.0f);
}

TEST(StateDict, ConvertsFloatingTypesAndKeepsEqualOnesWhereTheyLie) {
  const auto network = TwoLayers();
  Tensor half = *Tensor::Allocate(DType::kFp16, Shape{4});
  for (int i = 0; i < 4; ++i) {
    reinterpret_cast<uint16_t*>(half.mutable_view().data)[i] = FloatToHalf(0.5f * float(i));
  }
  const Tensor bias = Values({4}, {1, 2, 3, 4});
  const StateDict state_dict{{"conv.bias", bias}, {"bn.weight", half}};
  const auto set = LoadStateDict(*network, ParameterSet::Declared(*network), state_dict);
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(set->value(0, 1)->tensor.data(), bias.data());
  EXPECT_EQ(set->value(1, 0)->tensor.values<float>()[3], 1.5f);
}

TEST(StateDict, RefusesWhatDoesNotFit) {
  EXPECT_EQ(ErrorOf({{"conv.weights", Values({1}, {1})}}),
            "checkpoint key \"conv.weights\": the network has no such parameter");
  EXPECT_EQ(ErrorOf({{"conv.weight", Values({4, 3}, std::vector<float>(12))}}),
            "checkpoint key \"conv.weight\": wants shape [4, ?, 1], got [4, 3]");
  EXPECT_EQ(ErrorOf({{"conv.weight", Values({5, 3, 1}, std::vector<float>(15))}}),
            "checkpoint key \"conv.weight\": wants shape [4, ?, 1], got [5, 3, 1]");
  EXPECT_EQ(ErrorOf({{"conv.weight", Values({4, 0, 1}, {})}}),
            "checkpoint key \"conv.weight\": wants shape [4, ?, 1], got [4, 0, 1]");
  EXPECT_EQ(
      ErrorOf({{"bn.weight", Values({4}, {1, 1, 1, 1})}, {"bn.bias", Values({3}, {1, 1, 1})}}),
      "checkpoint key \"bn.bias\": wants shape [4], got [3]");
  EXPECT_EQ(ErrorOf({{"bn.num_batches_tracked", Values({}, {1.5})}}),
            "checkpoint key \"bn.num_batches_tracked\": wants dtype INT64, got FP32");
}

}  // namespace
}  // namespace lazynet::nn
