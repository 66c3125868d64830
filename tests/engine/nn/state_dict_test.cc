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

TEST(StateDict, NamesEveryKeyAtFaultInOneError) {
  EXPECT_EQ(ErrorOf({{"conv.weight", Values({5, 3, 1}, std::vector<float>(15))},
                     {"what", Values({1}, {1})},
                     {"conv.bias", Values({3}, {1, 1, 1})}}),
            "checkpoint key \"conv.weight\": wants shape [4, ?, 1], got [5, 3, 1]; checkpoint key "
            "\"conv.bias\": wants shape [4], got [3]; checkpoint key \"what\": the network has no "
            "such parameter");
  StateDict many;
  for (int i = 0; i < 10; ++i) many.emplace_back(fmt::format("k{}", i), Values({1}, {1}));
  const std::string error = ErrorOf(many);
  EXPECT_NE(error.find("\"k7\""), std::string::npos);
  EXPECT_EQ(error.find("\"k8\""), std::string::npos);
  EXPECT_TRUE(error.ends_with("; and 2 more")) << error;
}

TEST(StateDict, AKeyIsThereOnce) {
  EXPECT_EQ(
      ErrorOf({{"conv.bias", Values({4}, {1, 1, 1, 1})}, {"conv.bias", Values({4}, {1, 1, 1, 1})}}),
      "checkpoint key \"conv.bias\": is there twice");
}

TEST(StateDict, OptionsSayWhatIsAnError) {
  const auto network = TwoLayers();
  const ParameterSet declared = ParameterSet::Declared(*network);
  const StateDict some{{"conv.bias", Values({4}, {1, 2, 3, 4})}, {"more", Values({1}, {1})}};
  LoadReport report;
  EXPECT_TRUE(LoadStateDict(*network, declared, some, {.allow_unexpected = true}, &report).ok());
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"more"});
  EXPECT_EQ(report.missing, (std::vector<std::string>{"conv.weight", "bn.weight", "bn.bias",
                                                      "bn.running_mean", "bn.running_var"}));
  EXPECT_TRUE(report.mismatched.empty());
  const auto strict = LoadStateDict(*network, declared, {some.data(), 1}, {.allow_missing = false});
  EXPECT_EQ(Message(strict.status()),
            "checkpoint key \"conv.weight\" is missing; checkpoint key \"bn.weight\" is missing; "
            "checkpoint key \"bn.bias\" is missing; checkpoint key \"bn.running_mean\" is missing; "
            "checkpoint key \"bn.running_var\" is missing");
}

TEST(StateDict, WhatTheSetHasIsNotMissing) {
  const auto network = TwoLayers();
  const Shape input{1, 6, 5};
  const auto set = Materialize(*network, ParameterSet::Declared(*network), {&input, 1}, {});
  ASSERT_TRUE(set.ok());
  LoadReport report;
  const StateDict some{{"conv.bias", Values({4}, {1, 2, 3, 4})}};
  const auto loaded = LoadStateDict(*network, *set, some, {.origin = Origin::kClient}, &report);
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(report.missing.empty());
  EXPECT_EQ(loaded->value(0, 1)->origin, Origin::kClient);
  EXPECT_EQ(loaded->value(0, 0)->origin, Origin::kInitializer);
}

TEST(StateDict, TellsWhatLostItsValue) {
  const auto network = TwoLayers();
  LoadReport report;
  const StateDict state_dict{{"conv.bias", testing::Values64({4}, {1, 2, 3, 0.1})},
                             {"bn.weight", testing::Values64({4}, {1, 2, 3, 0.5})}};
  ASSERT_TRUE(
      LoadStateDict(*network, ParameterSet::Declared(*network), state_dict, {}, &report).ok());
  EXPECT_EQ(report.lossy, std::vector<std::string>{"conv.bias"});
}

TEST(StateDict, UninitializedEntriesAreForWhatHasNoValue) {
  const auto network = TwoLayers();
  const StateDict lazy{{"conv.weight", std::nullopt}, {"bn.weight", std::nullopt}};
  const auto untouched = LoadStateDict(*network, ParameterSet::Declared(*network), lazy);
  ASSERT_TRUE(untouched.ok());
  EXPECT_FALSE(untouched->value(0, 0).has_value());
  const Shape input{1, 6, 5};
  const auto set = Materialize(*network, *untouched, {&input, 1}, {});
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(Message(LoadStateDict(*network, *set, lazy).status()),
            "checkpoint key \"conv.weight\": wants a value, since the network has one, got none "
            "(uninitialized); checkpoint key \"bn.weight\": wants a value, since the network has "
            "one, got none (uninitialized)");
}

TEST(StateDict, AnErrorChangesNothing) {
  const auto network = TwoLayers();
  const ParameterSet declared = ParameterSet::Declared(*network);
  LoadReport report;
  const StateDict half{{"conv.weight", Values({4, 3, 1}, std::vector<float>(12))},
                       {"bn.weight", Values({5, 1}, std::vector<float>(5))}};
  EXPECT_FALSE(LoadStateDict(*network, declared, half, {}, &report).ok());
  EXPECT_FALSE(declared.value(0, 0).has_value());
  EXPECT_EQ(declared.sizes()[0][0], kUnknownDim);
  ASSERT_EQ(report.mismatched.size(), 1u);
  EXPECT_EQ(report.mismatched[0].key, "bn.weight");
  EXPECT_EQ(report.mismatched[0].problem, "wants shape [?], got [5, 1]");
}

TEST(StateDict, SizesOfConnectedLayersAgree) {
  const auto network = NetworkOf(
      DefinitionOf({LayerOf("a", "Linear", {Arg("out_features", 4)}), LayerOf("act", "ReLU"),
                    LayerOf("b", "Linear", {Arg("out_features", 2)})}));
  const ParameterSet declared = ParameterSet::Declared(*network);
  const StateDict wrong{{"b.weight", Values({2, 3}, std::vector<float>(6))}};
  EXPECT_EQ(Message(LoadStateDict(*network, declared, wrong).status()),
            "checkpoint key \"b.weight\": wants shape [2, 4], got [2, 3]");

  NetworkDefinition chain = DefinitionOf(
      {LayerOf("bn", "BatchNorm1d"), LayerOf("fc", "Linear", {Arg("out_features", 2)})});
  chain.inputs = {{.name = "input", .shape = Shape{kUnknownDim, kUnknownDim}}};
  const auto both = NetworkOf(chain);
  const StateDict apart{{"bn.weight", Values({3}, {1, 1, 1})},
                        {"fc.weight", Values({2, 4}, std::vector<float>(8))}};
  EXPECT_EQ(Message(LoadStateDict(*both, ParameterSet::Declared(*both), apart).status()),
            "checkpoint: layer \"fc\" (Linear): wants in_features 4, got 3");
}

TEST(StateDict, SizesOfOneLayerAgree) {
  const auto network =
      NetworkOf(DefinitionOf({LayerOf("x", "TransformerEncoderLayer", {Arg("nhead", 1)})}));
  const StateDict apart{{"x.norm1.weight", Values({3}, {1, 1, 1})},
                        {"x.self_attn.in_proj_weight", Values({12, 4}, std::vector<float>(48))}};
  EXPECT_EQ(Message(LoadStateDict(*network, ParameterSet::Declared(*network), apart).status()),
            "checkpoint key \"x.self_attn.in_proj_weight\": wants shape [9, 3], got [12, 4]");
  const StateDict odd{{"x.self_attn.in_proj_weight", Values({10, 4}, std::vector<float>(40))}};
  EXPECT_EQ(Message(LoadStateDict(*network, ParameterSet::Declared(*network), odd).status()),
            "checkpoint key \"x.self_attn.in_proj_weight\": wants shape [?, ?], got [10, 4]");
  const StateDict within{{"x.self_attn.in_proj_weight", Values({12, 5}, std::vector<float>(60))}};
  EXPECT_EQ(Message(LoadStateDict(*network, ParameterSet::Declared(*network), within).status()),
            "checkpoint key \"x.self_attn.in_proj_weight\": wants d_model 4, got 5");
}

TEST(StateDict, ScalarsMayComeAsOneElementAndCountersAsFloats) {
  const auto network = TwoLayers();
  const auto set = LoadStateDict(*network, ParameterSet::Declared(*network),
                                 StateDict{{"bn.num_batches_tracked", Values({1}, {3})}});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->value(1, 4)->tensor.shape(), Shape{});
  EXPECT_EQ(set->value(1, 4)->tensor.values<int64_t>()[0], 3);
}

}  // namespace
}  // namespace lazynet::nn
