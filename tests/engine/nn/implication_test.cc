#include <gtest/gtest.h>

#include "engine/nn/network.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::NetworkOf;
using testing::PerAxis;

LayerDefinition Linear(const std::string& name, int out) {
  return LayerOf(name, "Linear", {Arg("out_features", out)});
}

LayerDefinition Conv(const std::string& name, const std::string& type, int out) {
  return LayerOf(name, type, {Arg("out_channels", out), PerAxis("kernel_size", {3})});
}

NetworkDefinition WithInput(NetworkDefinition definition, std::optional<Shape> shape) {
  definition.inputs = {{.name = "input", .shape = std::move(shape)}};
  return definition;
}

// The sizes that the definition implies, of all layers one after the other.
std::vector<int64_t> Implied(NetworkDefinition definition) {
  const auto network = NetworkOf(std::move(definition));
  const auto implied = network->Imply(network->DeclaredSizes());
  LAZYNET_CHECK(implied.ok());
  std::vector<int64_t> all;
  for (const Sizes& sizes : *implied) {
    all.insert(all.end(), sizes.begin(), sizes.end());
  }
  return all;
}

std::string Contradiction(NetworkDefinition definition) {
  return std::string(Message(Network::Create(std::move(definition)).status()));
}

constexpr int64_t kOpen = kUnknownDim;

TEST(Implication, FeaturesOfALinearBehindAnother) {
  EXPECT_EQ(Implied(DefinitionOf({Linear("a", 4), LayerOf("act", "ReLU"), Linear("b", 5)})),
            (std::vector<int64_t>{kOpen, 4}));
}

TEST(Implication, ChannelsThroughConvolutionsAndPools) {
  EXPECT_EQ(Implied(DefinitionOf({Conv("a", "Conv2d", 4),
                                  LayerOf("pool", "MaxPool2d", {PerAxis("kernel_size", {2})}),
                                  LayerOf("bn", "BatchNorm2d"), Conv("b", "Conv2d", 5)})),
            (std::vector<int64_t>{kOpen, 4, 4}));
}

// [C, L] from an input without N is a batch of flat items to BatchNorm1d, whose features then are
// L.
TEST(Implication, NothingWhereTheRankDecides) {
  const NetworkDefinition network =
      DefinitionOf({Conv("conv", "Conv1d", 4), LayerOf("bn", "BatchNorm1d")});
  EXPECT_EQ(Implied(network), (std::vector<int64_t>{kOpen, kOpen}));
  EXPECT_EQ(Implied(WithInput(network, Shape{kOpen, kOpen, kOpen})),
            (std::vector<int64_t>{kOpen, 4}));
}

TEST(Implication, AConstraintTellsWhatItFixes) {
  const NetworkDefinition network =
      DefinitionOf({Conv("conv", "Conv2d", 4), LayerOf("flatten", "Flatten"), Linear("fc", 3)});
  EXPECT_EQ(Implied(network), (std::vector<int64_t>{kOpen, kOpen}));
  EXPECT_EQ(Implied(WithInput(network, Shape{kOpen, 3, kOpen, kOpen})),
            (std::vector<int64_t>{3, kOpen}));
  EXPECT_EQ(Implied(WithInput(network, Shape{kOpen, 3, 5, 6})),
            (std::vector<int64_t>{3, 4 * 3 * 4}));
}

TEST(Implication, SidesOfASumTellNothingOfEachOther) {
  NetworkDefinition network = DefinitionOf({LayerOf("a", "Linear", {Arg("out_features", 4)}, {"x"}),
                                            LayerOf("sum", "Add", {}, {"a", "y"}), Linear("b", 2)});
  network.inputs = {{.name = "x"}, {.name = "y"}};
  // y may be 1 wide, or 4.
  EXPECT_EQ(Implied(network), (std::vector<int64_t>{kOpen, 4}));
}

TEST(Implication, KnownSizesAddToIt) {
  const auto network = NetworkOf(DefinitionOf({Linear("a", 4), Linear("b", 5)}));
  std::vector<Sizes> known = network->DeclaredSizes();
  known[0][0] = 7;
  EXPECT_EQ(network->Imply(known)->at(0)[0], 7);
  EXPECT_EQ(network->Imply(known)->at(1)[0], 4);
  known[1][0] = 6;
  EXPECT_EQ(Message(network->Imply(known).status()),
            "layer \"b\" (Linear): wants in_features 6, got 4");
}

TEST(Implication, ContradictionsAreNamedWhenTheDefinitionIsMade) {
  EXPECT_EQ(Contradiction(DefinitionOf(
                {Linear("a", 4),
                 LayerOf("b", "Linear", {Arg("in_features", 5), Arg("out_features", 1)})})),
            "layer \"b\" (Linear): wants in_features 5, got 4");
  EXPECT_EQ(Contradiction(DefinitionOf(
                {Conv("a", "Conv2d", 4), LayerOf("b", "BatchNorm1d"), Conv("c", "Conv3d", 1)})),
            "layer \"c\" (Conv3d): wants a rank of 4 (unbatched) or 5, got shape [4, ?, ?]");
  EXPECT_EQ(Contradiction(WithInput(DefinitionOf({Conv("a", "Conv2d", 4)}), Shape{2, 3})),
            "layer \"a\" (Conv2d): wants a rank of 3 (unbatched) or 4, got shape [2, 3]");
  EXPECT_EQ(
      Contradiction(WithInput(DefinitionOf({Conv("a", "Conv1d", 4)}), Shape{kOpen, 2, 2})),
      "layer \"a\" (Conv1d): wants an input of at least 3 where the kernel spans 3, got 2 + 0 "
      "of padding");
}

// Sizes go forward only: what layers want of one input is compared when it comes.
TEST(Implication, LayersBesideEachOtherTellNothing) {
  const auto network = NetworkOf(DefinitionOf(
      {LayerOf("a", "Linear", {Arg("in_features", 3), Arg("out_features", 1)}),
       LayerOf("b", "Linear", {Arg("out_features", 1)}, {"input"}),
       LayerOf("c", "Linear", {Arg("in_features", 4), Arg("out_features", 1)}, {"input"})}));
  EXPECT_EQ(network->Imply(network->DeclaredSizes())->at(1)[0], kOpen);
  const Shape input{1, 3};
  EXPECT_EQ(Message(network->Infer({&input, 1}, network->DeclaredSizes()).status()),
            "layer \"c\" (Linear): wants in_features 4, got 3");
}

// 13 ranks for each of four inputs are too many to try.
TEST(Implication, ManyOpenInputsImplyNothing) {
  NetworkDefinition network =
      DefinitionOf({LayerOf("all", "Concat", {Arg("dim", -1)}, {"a", "b", "c", "d"}),
                    Linear("x", 4), Linear("y", 4)});
  network.inputs = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
  EXPECT_EQ(Implied(network), (std::vector<int64_t>{kOpen, kOpen}));
}

TEST(Implication, RecurrentAndEmbeddedSizes) {
  NetworkDefinition network = DefinitionOf(
      {LayerOf("embed", "Embedding", {Arg("num_embeddings", 9), Arg("embedding_dim", 6)}),
       LayerOf("lstm", "LSTM", {Arg("hidden_size", 4), Arg("bidirectional", true)}),
       LayerOf("norm", "LayerNorm"),
       LayerOf("attention", "MultiheadAttention", {Arg("num_heads", 2)}),
       LayerOf("encoder", "TransformerEncoderLayer", {Arg("nhead", 4)})});
  network.inputs = {{.name = "ids", .dtype = DType::kInt64}};
  EXPECT_EQ(Implied(network), (std::vector<int64_t>{6, 8, 8, 8}));
}

}  // namespace
}  // namespace lazynet::nn
