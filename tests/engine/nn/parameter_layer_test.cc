#include <gtest/gtest.h>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/nn/network.h"
#include "engine/nn/parameter_set.h"
#include "tests/support/definitions.h"
#include "tests/support/run_network.h"
#include "tests/support/run_op.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::NetworkOf;
using testing::PerAxis;
using testing::RunNetwork;
using testing::Values;

LayerDefinition ParameterOf(std::string name, std::vector<int64_t> shape) {
  return LayerOf(std::move(name), "Parameter", {PerAxis("shape", std::move(shape))});
}

absl::StatusOr<ParameterSet> Loaded(const Network& network, std::vector<StateDictEntry> values) {
  return LoadStateDict(network, ParameterSet::Declared(network), values);
}

class ParameterLayer : public ::testing::Test {
 protected:
  // What the network gives on both backends, which must agree.
  std::vector<float> Run(const Network& network, const ParameterSet& set, const Tensor& input,
                         size_t output = 0) {
    const auto got = RunNetwork(network, set, {input},
                                *backend::MakeOnednnBackend(backend::MakeReferenceBackend()));
    const auto reference = RunNetwork(network, set, {input}, *backend::MakeReferenceBackend());
    EXPECT_TRUE(got.ok()) << got.status();
    EXPECT_TRUE(reference.ok()) << reference.status();
    if (!got.ok() || !reference.ok()) return {};
    const auto values = (*got)[output].values<float>();
    const auto wanted = (*reference)[output].values<float>();
    EXPECT_TRUE(std::equal(values.begin(), values.end(), wanted.begin(), wanted.end()));
    return {values.begin(), values.end()};
  }
};

TEST_F(ParameterLayer, IsKnownByItsOwnName) {
  const auto network = NetworkOf(DefinitionOf(
      {ParameterOf("block.scale", {3}), LayerOf("mul", "Mul", {}, {"input", "block.scale"})}));
  EXPECT_EQ(network->nodes()[0].ParameterName(0), "block.scale");
  const auto set = Loaded(*network, {{"block.scale", Values({3}, {1, 2, 3})}});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(Run(*network, *set, Values({2, 3}, {1, 1, 1, 2, 2, 2})),
            (std::vector<float>{1, 2, 3, 2, 4, 6}));
}

TEST_F(ParameterLayer, WhatDependsOnParametersAloneIsComputedOnce) {
  const auto network =
      NetworkOf(DefinitionOf({ParameterOf("table", {2, 2}), LayerOf("relu", "ReLU", {}, {"table"}),
                              LayerOf("flat", "Flatten", {Arg("start_dim", 0)}, {"relu"}),
                              LayerOf("sum", "Add", {}, {"input", "flat"})}));
  const auto set = Loaded(*network, {{"table", Values({2, 2}, {-1, 2, -3, 4})}});
  ASSERT_TRUE(set.ok()) << set.status();
  const std::vector<Shape> shapes{Shape{1, 4}};
  plan::SharedParts shared;
  const auto plan = plan::Plan::Build(
      *network, *set, shapes, *backend::MakeOnednnBackend(backend::MakeReferenceBackend()), shared);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)->step_count(), 1u);
  EXPECT_EQ(Run(*network, *set, Values({1, 4}, {10, 20, 30, 40})),
            (std::vector<float>{10, 22, 30, 44}));
}

TEST_F(ParameterLayer, MayBeAnOutput) {
  NetworkDefinition definition =
      DefinitionOf({ParameterOf("table", {2}), LayerOf("one", "Parameter"),
                    LayerOf("relu", "ReLU", {}, {"input"})});
  definition.outputs = {{"table", "table"}, {"one", "one"}, {"relu", "relu"}};
  const auto network = NetworkOf(std::move(definition));
  const auto set = Loaded(*network, {{"table", Values({2}, {3, 4})}, {"one", Values({}, {5})}});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(Run(*network, *set, Values({1}, {1})), (std::vector<float>{3, 4}));
  EXPECT_EQ(Run(*network, *set, Values({1}, {1}), 1), (std::vector<float>{5}));
}

TEST_F(ParameterLayer, StartsAsItsInitializerSays) {
  LayerDefinition scale = ParameterOf("scale", {2});
  scale.initializers = {{"", init::ConstantInitializer{0.5}}};
  const auto network =
      NetworkOf(DefinitionOf({std::move(scale), LayerOf("mul", "Mul", {}, {"input", "scale"})}));
  const std::vector<Shape> shapes{Shape{2}};
  const auto set = Materialize(*network, ParameterSet::Declared(*network), shapes, {});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(Run(*network, *set, Values({2}, {2, 4})), (std::vector<float>{1, 2}));
}

TEST_F(ParameterLayer, HasADTypeOfItsOwn) {
  const auto network = NetworkOf(DefinitionOf(
      {LayerOf("ids", "Parameter", {PerAxis("shape", {2}), Arg("datatype", "INT64")}),
       LayerOf("table", "Embedding", {Arg("num_embeddings", 3), Arg("embedding_dim", 2)}),
       LayerOf("sum", "Add", {}, {"input", "table"})}));
  auto ids = Tensor::Allocate(DType::kInt64, Shape{2});
  ASSERT_TRUE(ids.ok());
  ids->mutable_view().values<int64_t>()[0] = 2;
  ids->mutable_view().values<int64_t>()[1] = 0;
  const auto set =
      Loaded(*network, {{"ids", *ids}, {"table.weight", Values({3, 2}, {1, 2, 3, 4, 5, 6})}});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(Run(*network, *set, Values({2, 2}, {0, 0, 0, 0})), (std::vector<float>{5, 6, 1, 2}));
}

TEST_F(ParameterLayer, WrongArgumentsAreNamed) {
  const auto error = [](Attributes attributes, std::vector<std::string> inputs = {}) {
    return std::string(Message(
        Network::Create(DefinitionOf({LayerOf("relu", "ReLU"),
                                      LayerOf("p", "Parameter", std::move(attributes), inputs)}))
            .status()));
  };
  EXPECT_EQ(error({PerAxis("shape", {-1})}),
            "layer \"p\" (Parameter): argument shape wants dims of at least 1, got -1");
  EXPECT_EQ(error({Arg("datatype", "FP64")}),
            "layer \"p\" (Parameter): argument datatype wants BOOL or an integer datatype (the "
            "layer's dtype is for floating ones), got FP64");
  EXPECT_EQ(error({}, {"relu"}), "layer \"p\" (Parameter): wants 0 inputs, got 1");
}

}  // namespace
}  // namespace lazynet::nn
