// What PyTorch's lazy modules do, and what lazynet does instead: one test for each row, through the
// live server. README.md has the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/service/support/lazy_network_fixture.h"

namespace lazynet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Dims = std::vector<int64_t>;
using testing::kMlp;
using testing::WireDict;

class LazySemantics : public testing::LazyNetworkTest {
 protected:
  // Hosts a network and sends it ones.
  void Host(const std::string& name, const std::string& text) {
    const grpc::Status status = Register(name, text);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  testing::InferAnswer Ones(const std::string& model, const Dims& shape) {
    size_t count = 1;
    for (const int64_t dim : shape) count *= static_cast<size_t>(dim);
    return live_->Infer(model, shape, std::vector<float>(count, 1.0f));
  }
  std::string ErrorOf(const std::string& model, const Dims& shape) {
    return Ones(model, shape).status.error_message();
  }
  bool Lazy(const std::string& model) {
    return live_->Describe(model).state() == v1::NETWORK_STATE_LAZY;
  }
  std::string HashOf(const std::string& model) { return live_->Describe(model).parameter_hash(); }

  // The bad shape is refused, binds nothing, and leaves the draws of the good one as they would be.
  void ExpectCleanFailure(const std::string& text, const Dims& bad, const Dims& good) {
    Host("tried", text);
    Host("fresh", text);
    EXPECT_EQ(Ones("tried", bad).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_TRUE(Lazy("tried"));
    ASSERT_TRUE(Ones("tried", good).status.ok());
    ASSERT_TRUE(Ones("fresh", good).status.ok());
    EXPECT_EQ(HashOf("tried"), HashOf("fresh"));
  }
};

// Section 1.1
TEST_F(LazySemantics, BeforeTheFirstRequestSizesShowAs0AndNothingIsDrawn) {
  Host("n", R"(layers { name: "fc" linear { out_features: 4 bias: false } }
               layers { name: "bn" batch_norm1d { affine: false } })");
  const auto described = live_->Describe("n");
  EXPECT_THAT(described.repr_before(),
              HasSubstr("(fc): LazyLinear(in_features=0, out_features=4, bias=False)"));
  EXPECT_EQ(described.parameter_bytes(), 0u);
  EXPECT_TRUE(described.has_uninitialized_params());
  // Options that switch a parameter off leave no key; the counter is there.
  const WireDict dict = GetStateDict("n");
  EXPECT_FALSE(dict.contains("fc.bias"));
  EXPECT_FALSE(dict.contains("bn.weight"));
  EXPECT_TRUE(dict.contains("bn.num_batches_tracked"));
}

// Section 1.2
TEST_F(LazySemantics, TheFirstRequestRunsInEvalMode) {
  Host("n", R"(layers { name: "bn" batch_norm1d {} } layers { name: "drop" dropout { p: 0.9 } })");
  EXPECT_THAT(Ones("n", {2, 2}).floats(), ::testing::Each(::testing::FloatNear(1.0f, 1e-4f)));
  EXPECT_EQ(GetStateDict("n")["bn.num_batches_tracked"].data, std::string(8, '\0'));
}
TEST_F(LazySemantics, ASharedLayerInfersOnceAndConflictsNameBothPlaces) {
  Host("n", R"(inputs { name: "a" } inputs { name: "b" }
               layers { name: "first" inputs: "a" linear { out_features: 3 } }
               layers { name: "second" inputs: "b" same_as: "first" }
               layers { name: "sum" inputs: "first" inputs: "second" add {} })");
  v1::InitializeParametersRequest request = RequestOf("n", {1, 4});
  request.mutable_inputs(0)->set_name("a");
  *request.add_inputs() = request.inputs(0);
  request.mutable_inputs(1)->set_name("b");
  request.mutable_inputs(1)->set_shape(1, 5);
  v1::InitializeParametersResponse response;
  const grpc::Status conflict = Initialize(request, response);
  EXPECT_THAT(conflict.error_message(), HasSubstr("layer \"second\""));
  EXPECT_THAT(conflict.error_message(), HasSubstr("\"first\""));
  request.mutable_inputs(1)->set_shape(1, 4);
  EXPECT_TRUE(Initialize(request, response).ok());
  EXPECT_EQ(response.created_size(), 2);
}

// Section 1.3, row by row
TEST_F(LazySemantics, ABadRankLeavesTheNetworkLazyAndTheStreamUnmoved) {
  ExpectCleanFailure(kMlp, {}, {2, 5});
}
TEST_F(LazySemantics, ChannelsThatGroupsDoNotDivideLeaveNoBadSizeBehind) {
  ExpectCleanFailure(R"(layers { name: "c" conv1d { out_channels: 4 kernel_size: 1 groups: 2 } })",
                     {1, 3, 8}, {1, 4, 8});
}
TEST_F(LazySemantics, AKernelLargerThanTheInputBindsNothing) {
  ExpectCleanFailure(R"(layers { name: "c" conv2d { out_channels: 2 kernel_size: 5 } })",
                     {1, 3, 4, 4}, {1, 3, 6, 6});
}
TEST_F(LazySemantics, AFailureInALaterLayerBindsNoEarlierOne) {
  ExpectCleanFailure(R"(layers { name: "fc" linear { out_features: 4 } }
                        layers { name: "c" conv1d { out_channels: 2 kernel_size: 3 } })",
                     {5}, {2, 3, 5});
}
TEST_F(LazySemantics, OneValueForEachChannelWithoutStatisticsBindsNothing) {
  ExpectCleanFailure(R"(layers { name: "bn" batch_norm1d { track_running_stats: false } })", {1, 3},
                     {2, 3});
}

// Section 2
TEST_F(LazySemantics, WhatTheArgumentsAloneForbidIsRefusedWhenTheDefinitionIsRead) {
  EXPECT_THAT(
      Register("n", R"(layers { name: "c" conv2d { out_channels: 3 kernel_size: 1 groups: 2 } })")
          .error_message(),
      HasSubstr("out_channels 3 wants to be divisible by groups 2"));
  EXPECT_THAT(Register("n", R"(layers { name: "f" linear { out_features: -1 } })").error_message(),
              HasSubstr("out_features wants 1"));
}
TEST_F(LazySemantics, LazyInstanceNormHasTorchsActualDefaults) {
  Host("lazy", R"(layers { name: "n" instance_norm2d {} })");
  Host("eager", R"(layers { name: "n" instance_norm2d { num_features: 3 } })");
  EXPECT_THAT(live_->Describe("lazy").repr(), HasSubstr("affine=True, track_running_stats=True"));
  EXPECT_THAT(live_->Describe("eager").repr(),
              HasSubstr("affine=False, track_running_stats=False"));
}
TEST_F(LazySemantics, UnbatchedInstanceNormTakesItsChannelsFromAxis0) {
  Host("n", R"(layers { name: "n" instance_norm2d {} })");
  ASSERT_TRUE(Ones("n", {3, 4, 5}).status.ok());
  EXPECT_THAT(GetStateDict("n")["n.weight"].entry.shape(), ElementsAre(3));
}
TEST_F(LazySemantics, ASizeOf0IsRefusedAndAnEmptyBatchIsNot) {
  EXPECT_THAT(ErrorOf("mlp", {2, 0}), HasSubstr("wants in_features of at least 1, got 0"));
  EXPECT_TRUE(Lazy("mlp"));
  EXPECT_TRUE(Ones("mlp", {0, 4}).status.ok());
}
TEST_F(LazySemantics, ANormWithNothingToInferTakesAnyNumberOfChannels) {
  Host("n", R"(layers { name: "n" instance_norm1d { affine: false track_running_stats: false } })");
  EXPECT_TRUE(Ones("n", {1, 3, 4}).status.ok());
  EXPECT_TRUE(Ones("n", {1, 5, 4}).status.ok());
}

// Section 3: the four combinations, and what is checked
TEST_F(LazySemantics, UninitializedIntoLazyLeavesItLazy) {
  Host("copy", kMlp);
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Load("copy", GetStateDict("mlp"), true, response).ok());
  EXPECT_EQ(response.state(), v1::NETWORK_STATE_LAZY);
}
TEST_F(LazySemantics, InitializedIntoLazyIsReadyAtOnceAndShowsItsSizes) {
  ASSERT_TRUE(Initialize("mlp", {1, 6}).ok());
  Host("copy", kMlp);
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Load("copy", GetStateDict("mlp"), true, response).ok());
  EXPECT_EQ(response.state(), v1::NETWORK_STATE_READY);
  EXPECT_THAT(live_->Describe("copy").repr(), HasSubstr("(fc1): Linear(in_features=6"));
  EXPECT_THAT(ErrorOf("copy", {1, 7}), HasSubstr("wants in_features 6, got 7"));
}
TEST_F(LazySemantics, UninitializedIntoInitializedIsAnErrorAlsoWhenNotStrict) {
  const WireDict lazy = GetStateDict("mlp");
  ASSERT_TRUE(Initialize("mlp", {1, 6}).ok());
  const std::string hash = HashOf("mlp");
  v1::LoadStateDictResponse response;
  EXPECT_EQ(Load("mlp", lazy, false, response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(HashOf("mlp"), hash);
}
TEST_F(LazySemantics, InitializedIntoInitializedReplacesTheValues) {
  ASSERT_TRUE(Initialize("mlp", {1, 6}).ok());
  WireDict dict = GetStateDict("mlp");
  const std::string hash = HashOf("mlp");
  dict.at("fc1.bias").data.assign(40, '\0');
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Load("mlp", dict, true, response).ok());
  EXPECT_NE(HashOf("mlp"), hash);
  EXPECT_EQ(GetStateDict("mlp")["fc1.bias"].data, std::string(40, '\0'));
}
TEST_F(LazySemantics, LoadedShapesAreCheckedAgainstTheDefinition) {
  Host("other", R"(layers { name: "fc1" linear { out_features: 4 } })");
  ASSERT_TRUE(Initialize("other", {1, 6}).ok());
  v1::LoadStateDictResponse response;
  const grpc::Status status = Load("mlp", GetStateDict("other"), false, response);
  EXPECT_THAT(status.error_message(), HasSubstr("wants shape [10, ?], got [4, 6]"));
  EXPECT_TRUE(Lazy("mlp"));
}
TEST_F(LazySemantics, LoadedSizesOfConnectedLayersMustAgree) {
  Host("wide", R"(layers { name: "fc1" linear { out_features: 10 } }
                  layers { name: "fc2" inputs: "input" linear { out_features: 1 } })");
  ASSERT_TRUE(Initialize("wide", {1, 6}).ok());
  v1::LoadStateDictResponse response;
  const grpc::Status status = Load("mlp", GetStateDict("wide"), false, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("fc2"));
}
TEST_F(LazySemantics, SomeKeysOfALayerDoNotPoisonIt) {
  ASSERT_TRUE(Initialize("mlp", {1, 6}).ok());
  WireDict dict = GetStateDict("mlp");
  dict.erase("fc1.bias");
  Host("copy", kMlp);
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Load("copy", dict, false, response).ok());
  EXPECT_TRUE(Ones("copy", {1, 6}).status.ok());
}
TEST_F(LazySemantics, AMissingBatchCounterIsFilledIn) {
  const std::string text = R"(layers { name: "bn" batch_norm1d {} })";
  Host("a", text);
  Host("b", text);
  ASSERT_TRUE(Initialize("a", {2, 3}).ok());
  WireDict dict = GetStateDict("a");
  dict.erase("bn.num_batches_tracked");
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Load("b", dict, true, response).ok());
  EXPECT_EQ(HashOf("a"), HashOf("b"));
}
TEST_F(LazySemantics, LossyCastsAreReported) {
  Host("double", fmt::format("{} parameter_dtype: \"FP64\"", kMlp));
  ASSERT_TRUE(Initialize("double", {1, 6}).ok());
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Load("mlp", GetStateDict("double"), true, response).ok());
  EXPECT_EQ(response.lossy_keys_size(), 4);
}

// Section 4
TEST_F(LazySemantics, InputsAreNeverCast) {
  Host("double", fmt::format("{} parameter_dtype: \"FP64\"", kMlp));
  EXPECT_THAT(ErrorOf("double", {1, 6}), HasSubstr("wants datatype FP64, got \"FP32\""));
  EXPECT_TRUE(Lazy("double"));
}
TEST_F(LazySemantics, QuestionsNeverMaterialize) {
  live_->Describe("mlp");
  GetStateDict("mlp");
  v1::InitializeParametersRequest request = RequestOf("mlp", {1, 6});
  request.set_validate_only(true);
  v1::InitializeParametersResponse response;
  ASSERT_TRUE(Initialize(request, response).ok());
  EXPECT_EQ(live_->Describe("mlp").parameter_bytes(), 0u);
  EXPECT_TRUE(Lazy("mlp"));
}

// Section 5.4
TEST_F(LazySemantics, SeedsAreTheirLow32Bits) {
  Host("a", fmt::format("{} seed: 42", kMlp));
  Host("b", fmt::format("{} seed: 4294967338", kMlp));
  for (const char* model : {"a", "b"}) ASSERT_TRUE(Initialize(model, {1, 6}).ok());
  EXPECT_EQ(HashOf("a"), HashOf("b"));
}
TEST_F(LazySemantics, DrawOrderPerLayerDependsOnNoOtherLayer) {
  Host("two", fmt::format("{} draw_order: PER_LAYER", kMlp));
  Host("one", R"(layers { name: "fc1" linear { out_features: 10 } } draw_order: PER_LAYER)");
  for (const char* model : {"two", "one"}) ASSERT_TRUE(Initialize(model, {1, 6}).ok());
  EXPECT_EQ(GetStateDict("two")["fc1.weight"].data, GetStateDict("one")["fc1.weight"].data);
}

// Section 6, where it is not one of the above
TEST_F(LazySemantics, TheInitializerOfALazyLayerCanBeChosen) {
  Host("n", R"(layers { name: "fc" linear { out_features: 2 }
                        initializers { parameter: "weight" ones {} } })");
  ASSERT_TRUE(Ones("n", {1, 3}).status.ok());
  const std::string data = GetStateDict("n")["fc.weight"].data;
  const std::vector<float> ones(6, 1.0f);
  EXPECT_EQ(data, std::string(reinterpret_cast<const char*>(ones.data()), 24));
}
TEST_F(LazySemantics, NamedInputsBehaveTheSameOnEveryCall) {
  Host("n", R"(inputs { name: "a" } inputs { name: "b" }
               layers { name: "x" inputs: "a" inputs: "b" bilinear { out_features: 2 } })");
  inference::ModelInferRequest request = testing::RequestOf("n", {1, 3}, {1, 2, 3});
  request.mutable_inputs(0)->set_name("b");
  *request.add_inputs() = request.inputs(0);
  request.mutable_inputs(1)->set_name("a");
  request.add_raw_input_contents(request.raw_input_contents(0));
  const auto first = live_->Infer(request);
  const auto second = live_->Infer(request);
  ASSERT_TRUE(first.status.ok()) << first.status.error_message();
  EXPECT_EQ(first.floats(), second.floats());
}
TEST_F(LazySemantics, CloningADeclaredNetworkIsLegalAndCostsNoParameters) {
  Host("clone", kMlp);
  EXPECT_EQ(live_->Describe("clone").repr(),
            "clone" + live_->Describe("mlp").repr().substr(std::string("mlp").size()));
  EXPECT_EQ(live_->Describe("clone").parameter_bytes(), 0u);
}
TEST_F(LazySemantics, CapacityIsPlannedFromShapesAlone) {
  v1::InitializeParametersRequest request = RequestOf("mlp", {1, 1000000});
  request.set_validate_only(true);
  v1::InitializeParametersResponse response;
  ASSERT_TRUE(Initialize(request, response).ok());
  EXPECT_EQ(response.created_bytes(), 4u * (10'000'000 + 10 + 10 + 1));
  EXPECT_TRUE(Lazy("mlp"));
}
TEST_F(LazySemantics, OneRequestSuffices) {
  ASSERT_TRUE(Ones("mlp", {1, 6}).status.ok());
  EXPECT_FALSE(live_->Describe("mlp").has_uninitialized_params());
}
TEST_F(LazySemantics, EveryLayerTypeWithAnInputDependentSizeInfersIt) {
  const std::pair<const char*, Dims> rows[] = {
      {"linear { out_features: 2 }", {1, 8}},
      {"conv1d { out_channels: 2 kernel_size: 1 }", {1, 8, 4}},
      {"conv2d { out_channels: 8 kernel_size: 1 groups: IN_CHANNELS }", {1, 8, 4, 4}},
      {"conv_transpose3d { out_channels: 2 kernel_size: 1 }", {1, 8, 2, 2, 2}},
      {"batch_norm1d {}", {2, 8}},
      {"instance_norm2d {}", {1, 8, 2, 2}},
      {"layer_norm { normalized_shape: [-1, -1] }", {2, 4, 8}},
      {"rms_norm {}", {2, 8}},
      {"group_norm { num_groups: 2 }", {2, 8, 3}},
      {"prelu { num_parameters: IN_CHANNELS }", {2, 8}},
      {"rnn { hidden_size: 3 }", {5, 2, 8}},
      {"lstm { hidden_size: 3 bidirectional: true }", {5, 2, 8}},
      {"gru { hidden_size: 3 num_layers: 2 }", {5, 2, 8}},
      {"multihead_attention { num_heads: 2 }", {5, 2, 8}},
      {"transformer_encoder_layer { nhead: 2 dim_feedforward: 16 }", {5, 2, 8}},
  };
  int n = 0;
  for (const auto& [layer, shape] : rows) {
    const std::string name = fmt::format("n{}", n++);
    Host(name, fmt::format("layers {{ name: 'x' {} }}", layer));
    EXPECT_TRUE(Lazy(name)) << layer;
    const auto answer = Ones(name, shape);
    EXPECT_TRUE(answer.status.ok()) << layer << ": " << answer.status.error_message();
    EXPECT_FALSE(live_->Describe(name).has_uninitialized_params()) << layer;
  }
}
TEST_F(LazySemantics, ReplicasWithOneDefinitionAndShapeAgreeOnTheHash) {
  Host("replica", kMlp);
  for (const char* model : {"mlp", "replica"}) ASSERT_TRUE(Ones(model, {3, 6}).status.ok());
  EXPECT_EQ(HashOf("mlp"), HashOf("replica"));
}
TEST_F(LazySemantics, AllParametersAreListedFromTheStartWithUnknownDimsMarked) {
  const auto described = live_->Describe("mlp");
  EXPECT_THAT(described.layers(0).parameters(0).shape(), ElementsAre(10, -1));
  EXPECT_EQ(described.known_parameter_count(), 21u);
  EXPECT_THAT(described.unknown_parameters(), ElementsAre("fc1.weight"));
}
TEST_F(LazySemantics, DefaultInitialValuesAreNotAllZero) {
  ASSERT_TRUE(Ones("mlp", {1, 6}).status.ok());
  for (const auto& [key, value] : GetStateDict("mlp")) {
    EXPECT_NE(value.data, std::string(value.data.size(), '\0')) << key;
  }
}
TEST_F(LazySemantics, AMismatchNamesLayerBothSizesAndWhatBoundItWhen) {
  ASSERT_TRUE(Ones("mlp", {3, 6}).status.ok());
  EXPECT_THAT(ErrorOf("mlp", {3, 7}),
              HasSubstr("layer \"fc1\" (Linear): wants in_features 6, got 7 (bound by the first "
                        "request, input [3, 6], at 20"));
}
TEST_F(LazySemantics, SaveLoadSaveIsByteIdentical) {
  ASSERT_TRUE(Ones("mlp", {3, 6}).status.ok());
  Host("copy", kMlp);
  using Stub = v1::LazyNetworkService::Stub;
  const auto save = [&](const char* model, const char* checkpoint) {
    v1::SaveCheckpointRequest request;
    request.set_name(model);
    request.set_checkpoint(checkpoint);
    v1::SaveCheckpointResponse response;
    EXPECT_TRUE(Call(&Stub::SaveCheckpoint, request, response).ok());
    std::ifstream file(state_.path() / "checkpoints" / fmt::format("{}.safetensors", checkpoint),
                       std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string first = save("mlp", "first");
  v1::LoadCheckpointRequest load;
  load.set_name("copy");
  load.set_checkpoint("first");
  v1::LoadStateDictResponse response;
  ASSERT_TRUE(Call(&Stub::LoadCheckpoint, load, response).ok());
  EXPECT_EQ(save("copy", "second"), first);
}

}  // namespace
}  // namespace lazynet
