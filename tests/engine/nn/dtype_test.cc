#include <gtest/gtest.h>

#include "engine/nn/network.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::NetworkOf;

LayerDefinition Wide(LayerDefinition layer) {
  layer.dtype = DType::kFp64;
  return layer;
}

NetworkDefinition WithInput(DType dtype, std::vector<LayerDefinition> layers) {
  NetworkDefinition definition = DefinitionOf(std::move(layers));
  definition.inputs = {{.name = "input", .dtype = dtype}};
  return definition;
}

std::string ErrorOf(NetworkDefinition definition) {
  return std::string(Message(Network::Create(std::move(definition)).status()));
}

DType OutputOf(NetworkDefinition definition) {
  return NetworkOf(std::move(definition))->outputs()[0].dtype;
}

TEST(DTypes, FollowTheNetworks) {
  for (const DType dtype : {DType::kFp32, DType::kFp64, DType::kBf16, DType::kFp16}) {
    NetworkDefinition definition =
        DefinitionOf({LayerOf("fc", "Linear", {Arg("out_features", 1)}), LayerOf("act", "ReLU")});
    definition.parameter_dtype = dtype;
    const auto network = NetworkOf(definition);
    EXPECT_EQ(network->inputs()[0].dtype, dtype);
    EXPECT_EQ(network->nodes()[0].ParameterDType(0), dtype);
    EXPECT_EQ(network->outputs()[0].dtype, dtype);
  }
}

// A layer that is constructed with its sizes draws before the network is converted.
TEST(DTypes, EagerLayersDrawInFp32UnlessTheySayOtherwise) {
  NetworkDefinition definition = DefinitionOf(
      {LayerOf("lazy", "Linear", {Arg("out_features", 2)}),
       LayerOf("eager", "Linear", {Arg("in_features", 2), Arg("out_features", 2)}),
       Wide(LayerOf("own", "Linear", {Arg("in_features", 2), Arg("out_features", 2)}))});
  definition.parameter_dtype = DType::kFp64;
  const auto network = NetworkOf(definition);
  EXPECT_EQ(network->nodes()[0].drawn_dtype, DType::kFp64);
  EXPECT_EQ(network->nodes()[1].drawn_dtype, DType::kFp32);
  EXPECT_EQ(network->nodes()[2].drawn_dtype, DType::kFp64);
  for (const Node& node : network->nodes()) EXPECT_EQ(node.ParameterDType(0), DType::kFp64);
}

TEST(DTypes, ModulesWantTheirOwn) {
  const LayerDefinition wide = Wide(LayerOf("fc", "Linear", {Arg("out_features", 1)}));
  EXPECT_EQ(ErrorOf(DefinitionOf({wide})),
            "layer \"fc\" (Linear): wants inputs of its dtype FP64, got FP32");
  EXPECT_EQ(OutputOf(DefinitionOf({LayerOf("to", "To", {Arg("dtype", "FP64")}), wide})),
            DType::kFp64);
  EXPECT_EQ(OutputOf(WithInput(DType::kUint8, {LayerOf("to", "To", {Arg("dtype", "BF16")}),
                                               LayerOf("act", "ReLU")})),
            DType::kBf16);
  EXPECT_EQ(OutputOf(WithInput(DType::kInt16, {LayerOf("to", "To", {Arg("dtype", "BOOL")})})),
            DType::kBool);
}

TEST(DTypes, FunctionsPromote) {
  NetworkDefinition definition = DefinitionOf({LayerOf("sum", "Add", {}, {"x", "y"})});
  definition.inputs = {{.name = "x", .dtype = DType::kFp64}, {.name = "y"}};
  EXPECT_EQ(OutputOf(definition), DType::kFp64);
  definition.inputs = {{.name = "x", .dtype = DType::kInt16},
                       {.name = "y", .dtype = DType::kUint8}};
  EXPECT_EQ(OutputOf(definition), DType::kInt16);
}

TEST(DTypes, IntegersAreForEmbeddingsAndFunctions) {
  const LayerDefinition embed =
      LayerOf("embed", "Embedding", {Arg("num_embeddings", 3), Arg("embedding_dim", 2)});
  EXPECT_EQ(OutputOf(WithInput(DType::kInt32, {embed})), DType::kFp32);
  EXPECT_EQ(OutputOf(WithInput(DType::kInt64, {Wide(embed)})), DType::kFp64);
  EXPECT_EQ(ErrorOf(WithInput(DType::kFp32, {embed})),
            "layer \"embed\" (Embedding): wants ids of dtype INT32 or INT64, got FP32");
  EXPECT_EQ(ErrorOf(WithInput(DType::kInt64, {LayerOf("act", "GELU")})),
            "layer \"act\" (GELU): wants a floating dtype, got INT64");
  EXPECT_EQ(ErrorOf(WithInput(DType::kInt64, {LayerOf("fc", "Linear", {Arg("out_features", 1)})})),
            "layer \"fc\" (Linear): wants inputs of its dtype FP32, got INT64");
}

TEST(DTypes, ParametersAreFloating) {
  LayerDefinition layer = LayerOf("fc", "Linear", {Arg("out_features", 1)});
  layer.dtype = DType::kInt32;
  EXPECT_EQ(ErrorOf(DefinitionOf({layer})),
            "layer \"fc\" (Linear): dtype wants FP32, FP64, BF16 or FP16, got INT32");
}

TEST(DTypes, CountersKeepTheirOwn) {
  NetworkDefinition definition = DefinitionOf({LayerOf("bn", "BatchNorm1d")});
  definition.parameter_dtype = DType::kFp16;
  const auto network = NetworkOf(definition);
  const Node& node = network->nodes()[0];
  EXPECT_EQ(node.ParameterDType(0), DType::kFp16);
  EXPECT_EQ(node.ParameterDType(4), DType::kInt64);
}

}  // namespace
}  // namespace lazynet::nn
