#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "engine/init/distributions.h"
#include "engine/nn/initializer_registry.h"
#include "engine/nn/parameter_set.h"
#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::NetworkOf;
using testing::Values;

std::string ErrorOf(std::string_view function, const Attributes& attributes) {
  return std::string(Message(MakeInitializer(function, attributes).status()));
}

TEST(InitializerRegistry, NamesWhatItDoesNotTake) {
  EXPECT_EQ(ErrorOf("sparse", {}), "unknown initializer \"sparse\"");
  EXPECT_EQ(ErrorOf("constant", {}), "constant: argument val is missing");
  EXPECT_EQ(ErrorOf("zeros", {Arg("val", 1.0)}), "zeros: has no argument val");
  EXPECT_EQ(ErrorOf("normal", {Arg("std", "big")}), "normal: argument std wants a number");
  EXPECT_EQ(ErrorOf("dirac", {Arg("groups", 0.5)}), "dirac: argument groups wants an integer");
  EXPECT_EQ(
      ErrorOf("kaiming_normal", {Arg("nonlinearity", "gelu")}),
      "kaiming_normal: argument nonlinearity wants a name of calculate_gain (linear, conv1d to "
      "conv_transpose3d, sigmoid, tanh, relu, leaky_relu, selu), got \"gelu\"");
}

TEST(InitializerRegistry, HasPyTorchsDefaults) {
  const auto truncated =
      std::get<init::TruncatedNormalInitializer>(*MakeInitializer("trunc_normal", {}));
  EXPECT_EQ(truncated.std, 1.0);
  EXPECT_EQ(truncated.a, -2.0);
  EXPECT_EQ(truncated.b, 2.0);
  const auto uniform = std::get<init::UniformInitializer>(*MakeInitializer("uniform", {}));
  EXPECT_EQ(uniform.a, 0.0);
  EXPECT_EQ(uniform.b, 1.0);
  EXPECT_EQ(std::get<init::ConstantInitializer>(*MakeInitializer("ones", {})).value, 1.0);
  EXPECT_EQ(std::get<init::DiracInitializer>(*MakeInitializer("dirac", {})).groups, 1);
}

LayerDefinition With(LayerDefinition layer, std::string parameter, init::Initializer initializer) {
  layer.initializers.push_back({std::move(parameter), initializer});
  return layer;
}

LayerDefinition Linear(std::string name, int out) {
  return LayerOf(std::move(name), "Linear", {Arg("out_features", out)});
}

ParameterSet MaterializeFor(const Network& network, const Shape& input,
                            const StateDict& loaded = {}) {
  auto set = LoadStateDict(network, ParameterSet::Declared(network), loaded);
  LAZYNET_CHECK(set.ok());
  set = Materialize(network, *set, {&input, 1}, {});
  LAZYNET_CHECK(set.ok());
  return *std::move(set);
}

// Of the stream of seed 0.
std::vector<float> Stream(size_t count) {
  init::Generator generator(0);
  Tensor tensor = *Tensor::Allocate(DType::kFp32, Shape{static_cast<int64_t>(count)});
  init::Uniform(generator, 0, 1, tensor.mutable_view());
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

std::vector<float> ValuesOf(const ParameterSet& set, int node, int parameter) {
  const auto values = set.value(node, parameter)->tensor.values<float>();
  return {values.begin(), values.end()};
}

TEST(Initializers, TakeThePlaceOfTheDefaultInTheStream) {
  const init::UniformInitializer unit{};
  const auto network = NetworkOf(DefinitionOf(
      {With(With(Linear("a", 2), "bias", unit), "weight", init::ConstantInitializer{3}),
       With(Linear("b", 1), "weight", unit)}));
  const ParameterSet set = MaterializeFor(*network, {1, 2});
  const std::vector<float> stream = Stream(4);
  EXPECT_EQ(ValuesOf(set, 0, 0), (std::vector<float>{3, 3, 3, 3}));
  // A constant draws nothing, so that the bias has the first of the stream.
  EXPECT_EQ(ValuesOf(set, 0, 1), (std::vector<float>{stream[0], stream[1]}));
  EXPECT_EQ(ValuesOf(set, 1, 0), (std::vector<float>{stream[2], stream[3]}));
}

// Large parameters are drawn from copies of the stream, by several threads, and small ones between
// them from the stream itself.
TEST(Initializers, ValuesDoNotDependOnTheNumberOfThreads) {
  std::vector<LayerDefinition> layers{Linear("default", 150)};
  const init::Initializer initializers[] = {
      init::UniformInitializer{},       init::NormalInitializer{},
      init::XavierNormalInitializer{},  init::TruncatedNormalInitializer{},
      init::OrthogonalInitializer{},    init::ConstantInitializer{3},
      init::KaimingUniformInitializer{}};
  for (const init::Initializer& initializer : initializers) {
    const std::string name = "layer" + std::to_string(layers.size());
    layers.push_back(With(Linear(name, 150), "weight", initializer));
  }
  layers.push_back(Linear("last", 3));
  const auto network = NetworkOf(DefinitionOf(layers));
  const Shape input{1, 140};
  const auto materialize = [&](int threads, init::Generator& stream) {
    auto set = Materialize(*network, ParameterSet::Declared(*network), {&input, 1},
                           {.threads = threads}, &stream);
    LAZYNET_CHECK(set.ok());
    return *std::move(set);
  };
  init::Generator alone(0), shared(0);
  const ParameterSet wanted = materialize(1, alone);
  const ParameterSet got = materialize(3, shared);
  EXPECT_EQ(shared.words(), alone.words());
  EXPECT_EQ(shared.Next32(), alone.Next32());
  for (int node = 0; node < static_cast<int>(network->nodes().size()); ++node) {
    for (const int parameter : {0, 1}) {
      EXPECT_EQ(ValuesOf(got, node, parameter), ValuesOf(wanted, node, parameter)) << node;
    }
  }
}

TEST(Initializers, ALoadedValueReplacesThemAndTheStreamMovesOn) {
  const init::UniformInitializer unit{};
  const auto network =
      NetworkOf(DefinitionOf({With(With(Linear("a", 1), "weight", unit), "bias", unit)}));
  const ParameterSet set = MaterializeFor(*network, {1, 2}, {{"a.weight", Values({1, 2}, {7, 8})}});
  EXPECT_EQ(ValuesOf(set, 0, 0), (std::vector<float>{7, 8}));
  EXPECT_EQ(ValuesOf(set, 0, 1), (std::vector<float>{Stream(3)[2]}));
}

TEST(Initializers, AreOfTheWholeParameter) {
  NetworkDefinition definition = DefinitionOf(
      {With(LayerOf("embed", "Embedding",
                    {Arg("num_embeddings", 3), Arg("embedding_dim", 2), Arg("padding_idx", 1)}),
            "weight", init::ConstantInitializer{5})});
  definition.inputs = {{.name = "ids", .dtype = DType::kInt64}};
  // As a call of the function after construction, the row of padding included.
  EXPECT_EQ(ValuesOf(MaterializeFor(*NetworkOf(definition), {1}), 0, 0),
            std::vector<float>(6, 5.0f));
}

// Constructed in FP32 and converted, or lazy and drawn as it is.
TEST(Initializers, DrawInTheTypeThatTheLayerWouldDrawIn) {
  const init::UniformInitializer unit{};
  NetworkDefinition definition = DefinitionOf(
      {With(LayerOf("eager", "Linear",
                    {Arg("in_features", 1), Arg("out_features", 1), Arg("bias", false)}),
            "weight", unit)});
  definition.parameter_dtype = DType::kFp64;
  const auto eager = NetworkOf(definition);
  const ParameterSet of_eager = MaterializeFor(*eager, {1, 1});
  EXPECT_EQ(of_eager.value(0, 0)->tensor.dtype(), DType::kFp64);
  EXPECT_EQ(of_eager.value(0, 0)->tensor.values<double>()[0], double{Stream(1)[0]});

  definition.layers[0].attributes = {Arg("out_features", 1), Arg("bias", false)};
  const ParameterSet of_lazy = MaterializeFor(*NetworkOf(definition), {1, 1});
  init::Generator generator(0);
  Tensor wanted = *Tensor::Allocate(DType::kFp64, Shape{1});
  init::Uniform(generator, 0, 1, wanted.mutable_view());
  EXPECT_EQ(of_lazy.value(0, 0)->tensor.values<double>()[0], wanted.values<double>()[0]);
}

TEST(Initializers, PerLayerSeedsHoldForThemToo) {
  NetworkDefinition definition =
      DefinitionOf({Linear("other", 3), With(Linear("a", 2), "weight", init::NormalInitializer{})});
  definition.draw_order = DrawOrder::kPerLayer;
  const auto two = NetworkOf(definition);
  definition.layers.erase(definition.layers.begin());
  const auto one = NetworkOf(definition);
  EXPECT_EQ(ValuesOf(MaterializeFor(*two, {1, 5}), 1, 0),
            ValuesOf(MaterializeFor(*one, {1, 3}), 0, 0));
}

TEST(Initializers, WhatOnlyTheFirstRequestShowsIsRefusedBeforeAnythingIsDrawn) {
  const auto network = NetworkOf(DefinitionOf(
      {Linear("first", 7000), With(Linear("a", 7000), "weight", init::OrthogonalInitializer{})}));
  const Shape input{1, 3};
  init::Generator stream(0);
  const auto set =
      Materialize(*network, ParameterSet::Declared(*network), {&input, 1}, {}, &stream);
  EXPECT_EQ(set.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Message(set.status()),
            "parameter \"a.weight\": orthogonal: wants at most 1000000000000 operations, got "
            "1372000000000 for shape [7000, 7000]");
  EXPECT_EQ(stream.words(), 0u);
}

std::string ErrorOf(LayerDefinition layer) {
  return std::string(Message(Network::Create(DefinitionOf({std::move(layer)})).status()));
}

TEST(Initializers, WhatNoSizesCouldMakeRightIsRefusedAtOnce) {
  EXPECT_EQ(
      ErrorOf(With(Linear("a", 2), "bias", init::XavierNormalInitializer{})),
      "layer \"a\" (Linear): initializer of \"bias\": xavier_normal: wants a rank of at least "
      "2, got shape [2]");
  EXPECT_EQ(ErrorOf(With(Linear("a", 3), "weight", init::DiracInitializer{})),
            "layer \"a\" (Linear): initializer of \"weight\": dirac: wants a rank from 3 to 5, got "
            "shape [3, 1]");
  EXPECT_EQ(
      ErrorOf(
          With(LayerOf("bn", "BatchNorm1d"), "num_batches_tracked", init::ConstantInitializer{})),
      "layer \"bn\" (BatchNorm1d): initializer: \"num_batches_tracked\" counts and wants none");
  LayerDefinition half = With(Linear("a", 2), "weight", init::OrthogonalInitializer{});
  half.dtype = DType::kBf16;
  EXPECT_EQ(ErrorOf(half),
            "layer \"a\" (Linear): initializer of \"weight\": orthogonal: wants FP32 or FP64, got "
            "BF16");
}

}  // namespace
}  // namespace lazynet::nn
