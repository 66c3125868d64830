#include <gtest/gtest.h>

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

LayerDefinition Again(std::string name, std::string same_as, std::vector<std::string> inputs = {}) {
  LayerDefinition layer = LayerOf(std::move(name), "", {}, std::move(inputs));
  layer.same_as = std::move(same_as);
  return layer;
}

NetworkDefinition Siamese() {
  NetworkDefinition definition =
      DefinitionOf({LayerOf("left", "Linear", {Arg("out_features", 4)}, {"x"}),
                    Again("right", "left", {"y"}), LayerOf("sum", "Add", {}, {"left", "right"})});
  definition.inputs = {{.name = "x"}, {.name = "y"}};
  return definition;
}

std::string ErrorOf(NetworkDefinition definition) {
  return std::string(Message(Network::Create(std::move(definition)).status()));
}

TEST(SharedLayer, HasOneSetOfSizesAndParameters) {
  const auto network = NetworkOf(Siamese());
  const Node& again = network->nodes()[1];
  EXPECT_TRUE(again.again);
  EXPECT_EQ(again.module, 0);
  EXPECT_TRUE(again.parameters().empty());
  const Shape inputs[] = {{2, 3}, {2, 3}};
  const auto inference = network->Infer(inputs, network->DeclaredSizes());
  ASSERT_TRUE(inference.ok());
  EXPECT_EQ(inference->sizes[0][0], 3);
  EXPECT_TRUE(inference->sizes[1].empty());
  const auto set = Materialize(*network, ParameterSet::Declared(*network), inputs, {});
  ASSERT_TRUE(set.ok());
  EXPECT_TRUE(set->complete());
  EXPECT_EQ(set->bytes(), (4u * 3 + 4) * sizeof(float));
}

TEST(SharedLayer, IsNotDrawnAgain) {
  NetworkDefinition twice = Siamese();
  twice.layers.push_back(LayerOf("head", "Linear", {Arg("out_features", 2)}));
  NetworkDefinition once = DefinitionOf({LayerOf("left", "Linear", {Arg("out_features", 4)}),
                                         LayerOf("head", "Linear", {Arg("out_features", 2)})});
  const Shape both[] = {{2, 3}, {2, 3}};
  const auto one = NetworkOf(once);
  const auto two = NetworkOf(twice);
  const auto set_of_one = Materialize(*one, ParameterSet::Declared(*one), {both, 1}, {});
  const auto set_of_two = Materialize(*two, ParameterSet::Declared(*two), both, {});
  ASSERT_TRUE(set_of_one.ok() && set_of_two.ok());
  EXPECT_EQ(set_of_one->value(1, 0)->tensor.values<float>()[0],
            set_of_two->value(3, 0)->tensor.values<float>()[0]);
}

TEST(SharedLayer, AConflictNamesBothPlaces) {
  const auto network = NetworkOf(Siamese());
  const Shape inputs[] = {{2, 3}, {2, 5}};
  EXPECT_EQ(Message(network->Infer(inputs, network->DeclaredSizes()).status()),
            "layer \"right\" (Linear): wants in_features 3, got 5 (it is the layer used at "
            "\"left\", which fixed its sizes)");
}

TEST(SharedLayer, AConflictWithTheDefinitionNamesOnePlace) {
  NetworkDefinition definition = Siamese();
  definition.layers[0].attributes.push_back(Arg("in_features", 3));
  const auto network = NetworkOf(definition);
  const Shape inputs[] = {{2, 3}, {2, 5}};
  EXPECT_EQ(Message(network->Infer(inputs, network->DeclaredSizes()).status()),
            "layer \"right\" (Linear): wants in_features 3, got 5");
}

// The last use tells that the first one has 1 channel, which the layer behind that contradicts.
TEST(SharedLayer, AContradictionByWayOfItsLastUseIsFoundAtOnce) {
  NetworkDefinition definition = DefinitionOf(
      {LayerOf("bn", "BatchNorm2d"),
       LayerOf("conv", "Conv2d",
               {Arg("in_channels", 7), Arg("out_channels", 1), PerAxis("kernel_size", {1})}),
       Again("again", "bn")});
  EXPECT_EQ(ErrorOf(definition), "layer \"conv\" (Conv2d): wants in_channels 7, got 1");
  definition.layers[1].attributes[0] = Arg("in_channels", 1);
  const auto network = NetworkOf(definition);
  EXPECT_EQ(network->Imply(network->DeclaredSizes())->at(0)[0], 1);
}

TEST(SharedLayer, KeysAreThoseOfTheFirst) {
  const auto network = NetworkOf(Siamese());
  const StateDict wrong{{"right.weight", Values({4, 3}, std::vector<float>(12))}};
  EXPECT_EQ(Message(LoadStateDict(*network, ParameterSet::Declared(*network), wrong).status()),
            "checkpoint key \"right.weight\": the network has no such parameter");
  EXPECT_EQ(network->Repr(network->DeclaredSizes()),
            "net(\n"
            "  (left): LazyLinear(in_features=0, out_features=4, bias=True)\n"
            "  (right): = left <- y\n"
            "  (sum): Add() <- left, right\n"
            ")");
}

TEST(SharedLayer, IsWrittenWithoutAnythingOfItsOwn) {
  EXPECT_EQ(ErrorOf(DefinitionOf({Again("b", "a")})),
            "layer \"b\": same_as wants a layer before it, got \"a\"");
  LayerDefinition typed = Again("b", "a");
  typed.type = "ReLU";
  LayerDefinition wide = Again("b", "a");
  wide.dtype = DType::kFp64;
  LayerDefinition drawn = Again("b", "a");
  drawn.initializers = {{"weight", init::ConstantInitializer{}}};
  for (const LayerDefinition& layer : {typed, wide, drawn}) {
    EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("a", "PReLU"), layer})),
              "layer \"b\": wants same_as or a type, dtype and initializers of its own, got both");
  }
}

// The second use of a use is a use of the first.
TEST(SharedLayer, MayBeNamedByAnyOfItsUses) {
  const auto network = NetworkOf(DefinitionOf(
      {LayerOf("a", "Linear", {Arg("out_features", 3)}), Again("b", "a"), Again("c", "b")}));
  EXPECT_EQ(network->nodes()[2].module, 0);
  EXPECT_EQ(network->Imply(network->DeclaredSizes())->at(0)[0], 3);
}

}  // namespace
}  // namespace lazynet::nn
