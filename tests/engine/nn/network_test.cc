#include "engine/nn/network.h"

#include <gtest/gtest.h>

#include "engine/nn/layer_registry.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::LazyMlp;
using testing::NetworkOf;
using testing::PerAxis;

std::string ErrorOf(NetworkDefinition definition) {
  const auto network = Network::Create(std::move(definition));
  return network.ok() ? "" : std::string(Message(network.status()));
}

TEST(Network, PrintsItselfAsPyTorchDoesBeforeAndAfter) {
  const auto network = NetworkOf(LazyMlp());
  EXPECT_EQ(network->Repr(network->DeclaredSizes()),
            "net(\n"
            "  (fc1): LazyLinear(in_features=0, out_features=10, bias=True)\n"
            "  (relu1): ReLU()\n"
            "  (fc2): LazyLinear(in_features=0, out_features=1, bias=True)\n"
            "  (relu2): ReLU()\n"
            ")");
  const Shape input{4, 784};
  const auto inference = network->Infer({&input, 1}, network->DeclaredSizes());
  ASSERT_TRUE(inference.ok());
  EXPECT_EQ(network->Repr(inference->sizes),
            "net(\n"
            "  (fc1): Linear(in_features=784, out_features=10, bias=True)\n"
            "  (relu1): ReLU()\n"
            "  (fc2): Linear(in_features=10, out_features=1, bias=True)\n"
            "  (relu2): ReLU()\n"
            ")");
}

TEST(Network, ShowsEdgesThatAreNotTheObviousOnes) {
  const auto network = NetworkOf(DefinitionOf(
      {LayerOf("a", "ReLU"), LayerOf("b", "Tanh"), LayerOf("sum", "Add", {}, {"b", "a"})}));
  EXPECT_EQ(network->Repr(network->DeclaredSizes()),
            "net(\n  (a): ReLU()\n  (b): Tanh()\n  (sum): Add() <- b, a\n)");
}

TEST(Network, TakesLayersInAnyOrderAndRunsThemInTheRightOne) {
  const auto network = NetworkOf(DefinitionOf({LayerOf("last", "ReLU", {}, {"middle"}),
                                               LayerOf("first", "Tanh", {}, {"input"}),
                                               LayerOf("middle", "Sigmoid", {}, {"first"})}));
  EXPECT_EQ(std::vector<int>(network->execution_order().begin(), network->execution_order().end()),
            (std::vector<int>{1, 2, 0}));
}

TEST(Network, RefusesWhatIsNoNetwork) {
  EXPECT_EQ(ErrorOf(DefinitionOf({})), "a network wants at least 1 layer");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("a", "ReLU"), LayerOf("a", "ReLU")})),
            "layer \"a\": the name is taken");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("input", "ReLU")})),
            "layer \"input\": the name is taken");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("", "ReLU")})), "layer wants a name");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("a", "Relu")})),
            "layer \"a\" (Relu): unknown layer type Relu");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("a", "ReLU", {}, {"b"})})),
            "layer \"a\" (ReLU): no layer or input is called \"b\"");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("a", "ReLU", {}, {"b"}), LayerOf("b", "ReLU")})),
            "layer \"a\" (ReLU): waits for its own output (a cycle)");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("a", "Add")})),
            "layer \"a\" (Add): wants at least 2 inputs, got 1");
  EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("a", "ReLU"), LayerOf("b", "ReLU", {}, {"a", "a"})})),
            "layer \"b\" (ReLU): wants 1 inputs, got 2");
  EXPECT_EQ(ErrorOf(DefinitionOf(
                {LayerOf("a", "GRU", {Arg("hidden_size", 1)}, {"input", "input", "input"})})),
            "layer \"a\" (GRU): wants 1 to 2 inputs, got 3");
  EXPECT_EQ(
      ErrorOf(DefinitionOf({LayerOf("a", "LSTM", {Arg("hidden_size", 1)}, {"input", "input"})})),
      "layer \"a\" (LSTM): wants both initial states, h_0 and c_0, or none, got 1");
  EXPECT_EQ(ErrorOf(DefinitionOf(
                {LayerOf("a", "MultiheadAttention", {Arg("num_heads", 1)}, {"input", "input"})})),
            "layer \"a\" (MultiheadAttention): wants 1 or 3 inputs, got 2");

  NetworkDefinition unused = DefinitionOf({LayerOf("a", "ReLU", {}, {"x"})});
  unused.inputs = {{.name = "x"}, {.name = "y"}};
  EXPECT_EQ(ErrorOf(unused), "input \"y\": no layer uses it");
  NetworkDefinition output = DefinitionOf({LayerOf("a", "ReLU")});
  output.outputs = {{"out", "b"}};
  EXPECT_EQ(ErrorOf(output), "output \"out\": no layer or input is called \"b\"");
  NetworkDefinition half = LazyMlp();
  half.parameter_dtype = DType::kInt8;
  EXPECT_EQ(ErrorOf(half), "parameter_dtype wants FP32, FP64, BF16 or FP16, got INT8");
}

TEST(Network, ComputesInBf16IfAskedTo) {
  NetworkDefinition definition = LazyMlp();
  EXPECT_EQ((*Network::Create(definition))->compute_dtype(), DType::kFp32);
  definition.compute_dtype = DType::kFp32;
  EXPECT_EQ((*Network::Create(definition))->compute_dtype(), DType::kFp32);
  definition.compute_dtype = DType::kBf16;
  const auto network = Network::Create(definition);
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ((*network)->compute_dtype(), DType::kBf16);
  EXPECT_EQ((*network)->dtype(), DType::kFp32);
  EXPECT_EQ((*network)->inputs()[0].dtype, DType::kFp32);
  EXPECT_EQ((*network)->outputs()[0].dtype, DType::kFp32);

  definition.compute_dtype = DType::kFp16;
  EXPECT_EQ(ErrorOf(definition), "compute wants FP32 or BF16, got FP16");
  for (const DType dtype : {DType::kFp64, DType::kBf16, DType::kFp16}) {
    definition.parameter_dtype = dtype;
    definition.compute_dtype = DType::kBf16;
    EXPECT_EQ(ErrorOf(definition),
              fmt::format("compute: BF16 wants parameter_dtype FP32, got {}", Name(dtype)));
    definition.compute_dtype.reset();
    EXPECT_EQ((*Network::Create(definition))->compute_dtype(),
              dtype == DType::kFp64 ? DType::kFp64 : DType::kFp32);
  }
}

struct BadArgument {
  std::string type;
  Attributes attributes;
  std::string error;
};

std::pair<std::string, AttributeValue> Numbers(std::string name, std::vector<double> values) {
  return {std::move(name), std::move(values)};
}

TEST(Network, RefusesWrongArgumentsByName) {
  const BadArgument rows[] = {
      {"Linear", {}, "argument out_features is missing"},
      {"Linear", {Arg("out_features", 0)}, "argument out_features wants 1 to 2147483647, got 0"},
      {"Linear", {Arg("out_features", 1), Arg("dim", 1)}, "has no argument dim"},
      {"Linear", {Arg("out_features", 1.5)}, "argument out_features wants an integer"},
      {"Linear",
       {Arg("out_features", 1), Arg("in_features", 0)},
       "argument in_features wants 1 to 2147483647 (or nothing, to be lazy), got 0"},
      {"Conv2d", {Arg("out_channels", 1)}, "argument kernel_size is missing"},
      {"Conv2d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {1, 2, 3})},
       "argument kernel_size wants 1 or 2 numbers, got 3"},
      {"Conv2d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), PerAxis("stride", {0})},
       "argument stride wants 1 to 2147483647, got 0"},
      {"Conv2d",
       {Arg("out_channels", 3), PerAxis("kernel_size", {3}), Arg("groups", 2)},
       "out_channels 3 wants to be divisible by groups 2"},
      {"Conv2d",
       {Arg("out_channels", 2), PerAxis("kernel_size", {3}), Arg("groups", 0)},
       "argument groups wants 1 to 2147483647 or IN_CHANNELS, got 0"},
      {"Conv2d",
       {Arg("in_channels", 3), Arg("out_channels", 2), PerAxis("kernel_size", {3}),
        Arg("groups", 2)},
       "in_channels 3 wants to be divisible by groups 2"},
      {"Conv1d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), Arg("auto_padding", "same"),
        PerAxis("stride", {2})},
       "auto_padding same wants stride 1, got 2"},
      {"Conv1d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), Arg("auto_padding", "half")},
       "argument auto_padding wants same or valid, got half"},
      {"Conv1d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), Arg("auto_padding", "same"),
        PerAxis("padding", {1})},
       "wants padding or auto_padding, got both"},
      {"Conv1d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), Arg("padding_mode", "mirror")},
       "argument padding_mode wants zeros, reflect, replicate or circular, got mirror"},
      {"ConvTranspose1d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), PerAxis("output_padding", {1})},
       "argument output_padding wants less than the larger of stride and dilation, 1, got 1"},
      {"ConvTranspose1d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), Arg("padding_mode", "reflect")},
       "argument padding_mode wants zeros, got reflect"},
      {"MaxPool2d",
       {PerAxis("kernel_size", {3}), PerAxis("padding", {2})},
       "argument padding wants at most half of kernel_size 3, got 2"},
      {"AvgPool1d",
       {PerAxis("kernel_size", {2}), Arg("divisor_override", 3)},
       "has no argument divisor_override"},
      {"AvgPool2d",
       {PerAxis("kernel_size", {2}), Arg("divisor_override", 0)},
       "argument divisor_override wants not 0"},
      {"AdaptiveAvgPool2d", {}, "argument output_size is missing"},
      {"GELU", {Arg("approximate", "fast")}, "argument approximate wants none or tanh, got fast"},
      {"Dropout", {Arg("p", 1.5)}, "argument p wants 0 to 1, got 1.5"},
      {"PReLU",
       {Arg("num_parameters", 0)},
       "argument num_parameters wants 1 to 2147483647 or IN_CHANNELS, got 0"},
      {"ConvTranspose1d",
       {Arg("out_channels", 1), PerAxis("kernel_size", {3}), Arg("groups", -1)},
       "argument groups wants a number where the convolution is transposed, got IN_CHANNELS"},
      {"LayerNorm",
       {PerAxis("normalized_shape", {3, 0})},
       "argument normalized_shape wants 1 to 2147483647 or -1 (lazy), got 0"},
      {"LayerNorm",
       {PerAxis("normalized_shape", std::vector<int64_t>(13, 1))},
       "argument normalized_shape wants at most 12 numbers, got 13"},
      {"LayerNorm", {Arg("eps", -1.0)}, "argument eps wants at least 0, got -1"},
      {"RMSNorm", {Arg("bias", true)}, "has no argument bias"},
      {"GroupNorm", {}, "argument num_groups is missing"},
      {"GroupNorm",
       {Arg("num_groups", 3), Arg("num_channels", 4)},
       "num_channels 4 wants to be divisible by num_groups 3"},
      {"Embedding", {Arg("num_embeddings", 3)}, "argument embedding_dim is missing"},
      {"Embedding",
       {Arg("num_embeddings", 3), Arg("embedding_dim", 2), Arg("padding_idx", 3)},
       "argument padding_idx wants -3 to 2, got 3"},
      {"Bilinear", {}, "argument out_features is missing"},
      {"RNN", {}, "argument hidden_size is missing"},
      {"RNN",
       {Arg("hidden_size", 2), Arg("nonlinearity", "gelu")},
       "argument nonlinearity wants tanh or relu, got gelu"},
      {"RNN", {Arg("hidden_size", 2), Arg("proj_size", 1)}, "has no argument proj_size"},
      {"GRU",
       {Arg("hidden_size", 2), Arg("num_layers", 0)},
       "argument num_layers wants 1 to 1024, got 0"},
      {"LSTM",
       {Arg("hidden_size", 2), Arg("proj_size", 2)},
       "argument proj_size wants 0 to less than hidden_size 2, got 2"},
      {"LSTM",
       {Arg("hidden_size", 2), Arg("dropout", 1.5)},
       "argument dropout wants 0 to 1, got 1.5"},
      {"MultiheadAttention", {}, "argument num_heads is missing"},
      {"MultiheadAttention",
       {Arg("num_heads", 2), Arg("embed_dim", 5)},
       "embed_dim 5 wants to be divisible by num_heads 2"},
      {"MultiheadAttention",
       {Arg("num_heads", 2), Arg("kdim", 0)},
       "argument kdim wants 1 to 2147483647 or -1 (lazy), got 0"},
      {"TransformerEncoderLayer",
       {Arg("nhead", 2), Arg("d_model", 5)},
       "d_model 5 wants to be divisible by nhead 2"},
      {"TransformerEncoderLayer",
       {Arg("nhead", 2), Arg("activation", "tanh")},
       "argument activation wants relu or gelu, got tanh"},
      {"TransformerEncoderLayer",
       {Arg("nhead", 2), Arg("dim_feedforward", 0)},
       "argument dim_feedforward wants 1 to 2147483647, got 0"},
      {"To", {}, "argument dtype wants a datatype, got none"},
      {"To", {Arg("dtype", "INT7")}, "argument dtype wants a datatype, got INT7"},
      {"Hardtanh",
       {Arg("min_val", 2.0), Arg("max_val", 2.0)},
       "arguments min_val and max_val want min_val < max_val, got 2 and 2"},
      {"RReLU",
       {Arg("lower", 0.5), Arg("upper", 0.25)},
       "arguments lower and upper want lower <= upper, got 0.5 and 0.25"},
      {"CELU", {Arg("alpha", 0.0)}, "argument alpha wants a number other than 0, got 0"},
      {"Softshrink", {Arg("lambd", -1.0)}, "argument lambd wants a number of at least 0, got -1"},
      {"Threshold", {Arg("value", 1.0)}, "arguments threshold and value are required"},
      {"Clamp", {}, "arguments min and max want at least one of them, got none"},
      {"Div",
       {Arg("other", 2.0), Arg("rounding_mode", "ceil")},
       "argument rounding_mode wants none, trunc or floor, got ceil"},
      {"Pow",
       {Arg("exponent", 2.0), Arg("self", 2.0)},
       "arguments exponent and self want one of them, got both"},
      {"LogicalAnd", {Arg("other", 1.0)}, "has no argument other"},
      {"MaskedFill", {}, "argument value is required"},
      {"Max", {}, "argument dim is required"},
      {"Topk", {}, "argument k is missing"},
      {"Cumsum", {}, "argument dim is required"},
      {"ImageNormalize",
       {Numbers("mean", {1, 2}), Numbers("std", {1})},
       "arguments mean and std want equally many numbers, got 2 and 1"},
      {"ImageNormalize",
       {Numbers("std", {1, 0})},
       "argument std wants numbers other than 0, got 0"},
  };
  for (const BadArgument& row : rows) {
    EXPECT_EQ(ErrorOf(DefinitionOf({LayerOf("x", row.type, row.attributes)})),
              "layer \"x\" (" + row.type + "): " + row.error);
  }
}

TEST(Network, OutputsOfALayerAreNamedAfterAColon) {
  NetworkDefinition definition =
      DefinitionOf({LayerOf("lstm", "LSTM", {Arg("hidden_size", 4)}),
                    LayerOf("norm", "LayerNorm", {}, {"lstm:c_n"}),
                    LayerOf("a:b", "ReLU", {}, {"lstm"}), LayerOf("last", "Tanh", {}, {"a:b"})});
  definition.outputs = {{"h", "lstm:h_n"}, {"y", "a:b:output"}, {"c", "norm"}};
  const auto network = NetworkOf(definition);
  EXPECT_EQ(network->nodes()[1].inputs[0].output, 2);
  EXPECT_EQ(network->outputs()[0].source.output, 1);
  EXPECT_EQ(network->outputs()[1].source.index, 2);
  EXPECT_EQ(network->Repr(network->DeclaredSizes()),
            "net(\n"
            "  (lstm): LazyLSTM(0, 4)\n"
            "  (norm): LazyLayerNorm((0,), eps=1e-05, elementwise_affine=True) <- lstm:c_n\n"
            "  (a:b): ReLU() <- lstm\n"
            "  (last): Tanh()\n"
            ")");
  definition.outputs = {{"h", "lstm:h"}};
  EXPECT_EQ(ErrorOf(definition),
            "output \"h\": layer \"lstm\" has the outputs output, h_n, c_n, not \"h\"");
}

TEST(Network, DiagnosesEveryLayerThatIsWrongByItself) {
  NetworkDefinition definition = DefinitionOf(
      {LayerOf("a", "Linear", {Arg("in_features", 3), Arg("out_features", 2)}, {"input"}),
       LayerOf("behind", "ReLU"),
       LayerOf("b", "Linear", {Arg("in_features", 4), Arg("out_features", 2)}, {"input"}),
       LayerOf("fine", "Softmax", {}, {"input"}),
       LayerOf("c", "Flatten", {Arg("start_dim", 2), Arg("end_dim", 2)}, {"fine"})});
  const auto network = NetworkOf(definition);
  const auto diagnose = [&](const Shape& shape) {
    std::vector<std::string> texts;
    for (const absl::Status& status : network->Diagnose({&shape, 1}, network->DeclaredSizes())) {
      texts.emplace_back(Message(status));
    }
    return texts;
  };
  EXPECT_EQ(diagnose({1, 5}),
            (std::vector<std::string>{
                "layer \"a\" (Linear): wants in_features 3, got 5",
                "layer \"b\" (Linear): wants in_features 4, got 5",
                "layer \"c\" (Flatten): wants a rank that has dim 2, got shape [1, 5]"}));
  EXPECT_EQ(diagnose({1, 1, 3}),
            (std::vector<std::string>{"layer \"b\" (Linear): wants in_features 4, got 3"}));
  EXPECT_EQ(diagnose(Shape{1, -2}),
            (std::vector<std::string>{
                "input \"input\": wants dims from 0 to 2147483647, got -2 in [1, -2]"}));
}

TEST(Network, ConstraintsGuardTheInputs) {
  NetworkDefinition definition = LazyMlp();
  definition.inputs = {{.name = "x", .shape = Shape{kUnknownDim, 784}}};
  const auto network = NetworkOf(definition);
  const auto infer = [&](const Shape& shape) {
    return network->Infer({&shape, 1}, network->DeclaredSizes()).status();
  };
  EXPECT_TRUE(infer({3, 784}).ok());
  EXPECT_EQ(Message(infer({3, 785})), "input \"x\": wants shape [?, 784], got [3, 785]");
  EXPECT_EQ(Message(infer({784})), "input \"x\": wants shape [?, 784], got [784]");
}

TEST(Network, EveryRegisteredTypeHasANameWithoutLazy) {
  for (const std::string& type : LayerTypes()) EXPECT_NE(type.substr(0, 4), "Lazy");
  EXPECT_GE(LayerTypes().size(), 60u);
}

}  // namespace
}  // namespace lazynet::nn
