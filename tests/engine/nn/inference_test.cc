#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/nn/network.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::NetworkOf;
using testing::PerAxis;

// A layer on one input shape: the output's shape, or the error.
struct Row {
  std::string type;
  Attributes attributes;
  Shape input;
  std::string result;
};

std::string InferOne(const Row& row) {
  const auto network = NetworkOf(DefinitionOf({LayerOf("x", row.type, row.attributes)}));
  const auto inference = network->Infer({&row.input, 1}, network->DeclaredSizes());
  return inference.ok() ? inference->shapes[0][0].ToString()
                        : std::string(Message(inference.status()));
}

void ExpectRows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(InferOne(row), row.result) << row.type << " on " << row.input.ToString();
  }
}

TEST(Inference, Linear) {
  const Attributes four{Arg("out_features", 4)};
  ExpectRows(
      {{"Linear", four, {7}, "[4]"},
       {"Linear", four, {2, 7}, "[2, 4]"},
       {"Linear", four, {2, 3, 7}, "[2, 3, 4]"},
       {"Linear", four, {0, 7}, "[0, 4]"},
       {"Linear", four, {}, "layer \"x\" (Linear): wants a rank of at least 1, got a scalar"},
       {"Linear", four, {2, 0}, "layer \"x\" (Linear): wants in_features of at least 1, got 0"},
       {"Linear",
        {Arg("out_features", 4), Arg("in_features", 6)},
        {2, 7},
        "layer \"x\" (Linear): wants in_features 6, got 7"}});
}

TEST(Inference, Convolution) {
  const Attributes plain{Arg("out_channels", 4), PerAxis("kernel_size", {3})};
  const Attributes strided{Arg("out_channels", 6),      PerAxis("kernel_size", {3, 2}),
                           PerAxis("stride", {2, 1}),   PerAxis("padding", {1, 0}),
                           PerAxis("dilation", {2, 1}), Arg("groups", 3)};
  const Attributes reflect{Arg("out_channels", 4), PerAxis("kernel_size", {3}),
                           PerAxis("padding", {2}), Arg("padding_mode", "reflect")};
  const Attributes same{Arg("out_channels", 4), PerAxis("kernel_size", {4}),
                        PerAxis("dilation", {3}), Arg("auto_padding", "same")};
  ExpectRows({{"Conv2d", plain, {2, 3, 8, 9}, "[2, 4, 6, 7]"},
              {"Conv2d", plain, {3, 8, 9}, "[4, 6, 7]"},
              {"Conv2d", plain, {0, 3, 8, 9}, "[0, 4, 6, 7]"},
              {"Conv1d", plain, {2, 3, 8}, "[2, 4, 6]"},
              {"Conv3d", plain, {3, 3, 3, 5}, "[4, 1, 1, 3]"},
              {"Conv2d", strided, {1, 6, 9, 9}, "[1, 6, 4, 8]"},
              {"Conv1d", same, {1, 2, 5}, "[1, 4, 5]"},
              {"Conv1d", reflect, {1, 2, 3}, "[1, 4, 5]"},
              {"Conv1d",
               reflect,
               {1, 2, 2},
               "layer \"x\" (Conv1d): padding_mode reflect wants padding 2 below the input's size "
               "2"},
              {"Conv2d",
               plain,
               {8, 9},
               "layer \"x\" (Conv2d): wants a rank of 3 (unbatched) or 4, got shape [8, 9]"},
              {"Conv2d",
               plain,
               {2, 0, 8, 9},
               "layer \"x\" (Conv2d): wants in_channels of at least 1, got 0"},
              {"Conv2d",
               plain,
               {2, 3, 0, 9},
               "layer \"x\" (Conv2d): wants spatial dims of at least 1, got shape [2, 3, 0, 9]"},
              {"Conv2d",
               plain,
               {2, 3, 2, 9},
               "layer \"x\" (Conv2d): wants an input of at least 3 where the kernel spans 3, got 2 "
               "+ 0 of padding"},
              {"Conv2d",
               strided,
               {1, 7, 9, 9},
               "layer \"x\" (Conv2d): wants in_channels divisible by groups 3, got 7"}});
}

TEST(Inference, TransposedConvolution) {
  const Attributes attributes{Arg("out_channels", 6),         PerAxis("kernel_size", {3}),
                              PerAxis("stride", {2}),         PerAxis("padding", {1}),
                              PerAxis("output_padding", {1}), Arg("groups", 2)};
  ExpectRows({{"ConvTranspose2d", attributes, {1, 4, 5, 6}, "[1, 6, 10, 12]"},
              {"ConvTranspose1d", attributes, {4, 5}, "[6, 10]"},
              {"ConvTranspose1d",
               {Arg("out_channels", 1), PerAxis("kernel_size", {1}), PerAxis("padding", {1})},
               {1, 1, 2},
               "layer \"x\" (ConvTranspose1d): wants an output of at least 1, got 0 from shape [1, "
               "1, 2]"}});
}

TEST(Inference, Normalization) {
  ExpectRows(
      {{"BatchNorm1d", {}, {5, 3}, "[5, 3]"},
       {"BatchNorm1d", {}, {5, 3, 4}, "[5, 3, 4]"},
       {"BatchNorm1d", {}, {3}, "layer \"x\" (BatchNorm1d): wants a rank of 2 or 3, got shape [3]"},
       {"BatchNorm2d",
        {},
        {5, 3, 4},
        "layer \"x\" (BatchNorm2d): wants a rank of 4, got shape [5, 3, 4]"},
       {"BatchNorm1d",
        {Arg("track_running_stats", false)},
        {1, 3},
        "layer \"x\" (BatchNorm1d): wants more than 1 value per channel without running stats, got "
        "[1, 3]"},
       {"InstanceNorm1d", {}, {3, 6}, "[3, 6]"},
       {"InstanceNorm1d", {}, {2, 3, 6}, "[2, 3, 6]"},
       {"InstanceNorm1d", {Arg("num_features", 4)}, {2, 3, 6}, "[2, 3, 6]"},
       {"InstanceNorm1d",
        {Arg("num_features", 4), Arg("affine", true)},
        {2, 3, 6},
        "layer \"x\" (InstanceNorm1d): wants num_features 4, got 3"},
       {"InstanceNorm2d",
        {Arg("num_features", 3)},
        {2, 3, 1, 1},
        "layer \"x\" (InstanceNorm2d): wants more than 1 spatial element without running stats, "
        "got "
        "[2, 3, 1, 1]"}});
}

// In ceil mode the last window must start inside the input or its left padding.
TEST(Inference, Pooling) {
  const Attributes ceil{PerAxis("kernel_size", {3}), PerAxis("stride", {2}),
                        Arg("ceil_mode", true)};
  const Attributes dropped{PerAxis("kernel_size", {2}), PerAxis("stride", {3}),
                           PerAxis("padding", {1}), Arg("ceil_mode", true)};
  ExpectRows(
      {{"MaxPool2d", {PerAxis("kernel_size", {2})}, {1, 3, 7, 8}, "[1, 3, 3, 4]"},
       {"MaxPool1d", ceil, {3, 8}, "[3, 4]"},
       {"MaxPool1d", dropped, {1, 1, 2}, "[1, 1, 1]"},
       {"AvgPool3d", {PerAxis("kernel_size", {2})}, {2, 4, 4, 4}, "[2, 2, 2, 2]"},
       {"AdaptiveAvgPool2d", {PerAxis("output_size", {5, -1})}, {1, 2, 3, 4}, "[1, 2, 5, 4]"},
       {"MaxPool2d",
        {PerAxis("kernel_size", {2})},
        {1, 0, 7, 8},
        "layer \"x\" (MaxPool2d): wants at least 1 channel, got shape [1, 0, 7, 8]"}});
}

TEST(Inference, Shapes) {
  ExpectRows({{"Flatten", {}, {2, 3, 4}, "[2, 12]"},
              {"Flatten", {Arg("start_dim", 0)}, {}, "[1]"},
              {"Flatten", {Arg("start_dim", -2), Arg("end_dim", -1)}, {2, 3, 4}, "[2, 12]"},
              {"Flatten",
               {},
               {2},
               "layer \"x\" (Flatten): wants a rank that has dim 1, got shape "
               "[2]"},
              {"To", {Arg("dtype", "FP64")}, {2, 0, 3}, "[2, 0, 3]"},
              {"Softmax",
               {Arg("dim", 2)},
               {2, 3},
               "layer \"x\" (Softmax): wants a rank that has dim 2, got shape [2, 3]"},
              {"PReLU", {Arg("num_parameters", 3)}, {2, 3, 4}, "[2, 3, 4]"},
              {"PReLU",
               {Arg("num_parameters", 3)},
               {3},
               "layer \"x\" (PReLU): wants 3 channels (num_parameters), got 1 in shape [3]"},
              {"Dropout1d",
               {},
               {2, 3, 4, 5},
               "layer \"x\" (Dropout1d): wants a rank of 2 or 3, got shape [2, 3, 4, 5]"}});
}

TEST(Inference, GroupsOfInChannels) {
  const Attributes depthwise{Arg("out_channels", 6), PerAxis("kernel_size", {1}),
                             Arg("groups", -1)};
  ExpectRows({{"Conv1d", depthwise, {2, 3, 5}, "[2, 6, 5]"},
              {"Conv1d",
               depthwise,
               {2, 4, 5},
               "layer \"x\" (Conv1d): wants in_channels (and groups) that divide out_channels 6, "
               "got 4"},
              {"PReLU", {Arg("num_parameters", -1)}, {2, 3, 4}, "[2, 3, 4]"},
              {"PReLU", {Arg("num_parameters", -1)}, {}, "[]"},
              {"PReLU",
               {Arg("num_parameters", -1)},
               {2, 0},
               "layer \"x\" (PReLU): wants num_parameters of at least 1, got 0"}});
}

TEST(Inference, LayerNorm) {
  const Attributes two{PerAxis("normalized_shape", {-1, 4})};
  const Attributes plain{PerAxis("normalized_shape", {-1, 4}), Arg("elementwise_affine", false)};
  ExpectRows(
      {{"LayerNorm", {}, {2, 3}, "[2, 3]"},
       {"LayerNorm", {}, {3}, "[3]"},
       {"LayerNorm", {}, {0, 3}, "[0, 3]"},
       {"LayerNorm", two, {2, 3, 4}, "[2, 3, 4]"},
       {"RMSNorm", two, {3, 4}, "[3, 4]"},
       {"LayerNorm", {}, {}, "layer \"x\" (LayerNorm): wants a rank of at least 1, got shape []"},
       {"RMSNorm", two, {4}, "layer \"x\" (RMSNorm): wants a rank of at least 2, got shape [4]"},
       {"LayerNorm",
        {},
        {3, 0},
        "layer \"x\" (LayerNorm): wants normalized_shape of at least 1, got 0"},
       {"LayerNorm", two, {3, 5}, "layer \"x\" (LayerNorm): wants normalized_shape[1] 4, got 5"},
       // A number that is given holds without parameters too; one that is not, never does.
       {"LayerNorm", plain, {3, 5}, "layer \"x\" (LayerNorm): wants normalized_shape[1] 4, got 5"},
       {"LayerNorm", plain, {0, 4}, "[0, 4]"}});
}

TEST(Inference, GroupNorm) {
  const Attributes two{Arg("num_groups", 2)};
  ExpectRows({{"GroupNorm", two, {3, 4}, "[3, 4]"},
              {"GroupNorm", two, {3, 4, 5, 1, 2}, "[3, 4, 5, 1, 2]"},
              {"GroupNorm", two, {0, 4, 5}, "[0, 4, 5]"},
              {"GroupNorm",
               two,
               {4},
               "layer \"x\" (GroupNorm): wants a rank of at least 2, got shape [4]"},
              {"GroupNorm",
               two,
               {1, 3, 5},
               "layer \"x\" (GroupNorm): wants num_channels divisible by num_groups 2, got 3"},
              {"GroupNorm",
               {Arg("num_groups", 2), Arg("affine", false)},
               {1, 0, 5},
               "layer \"x\" (GroupNorm): wants num_channels divisible by num_groups 2, got 0"},
              {"GroupNorm",
               {Arg("num_groups", 2), Arg("num_channels", 4)},
               {1, 6},
               "layer \"x\" (GroupNorm): wants num_channels 4, got 6"},
              {"GroupNorm",
               two,
               {1, 2, 1},
               "layer \"x\" (GroupNorm): wants more than 1 value per group, got shape [1, 2, 1]"}});
}

TEST(Inference, Attention) {
  const Attributes two{Arg("num_heads", 2)};
  ExpectRows(
      {{"MultiheadAttention", two, {5, 3, 6}, "[5, 3, 6]"},
       {"MultiheadAttention", two, {5, 6}, "[5, 6]"},
       {"MultiheadAttention", two, {0, 3, 6}, "[0, 3, 6]"},
       {"MultiheadAttention",
        two,
        {6},
        "layer \"x\" (MultiheadAttention): wants a rank of 2 (unbatched) or 3, got shape [6]"},
       {"MultiheadAttention",
        two,
        {5, 3, 7},
        "layer \"x\" (MultiheadAttention): wants embed_dim divisible by num_heads 2, got 7"},
       {"MultiheadAttention",
        {Arg("num_heads", 2), Arg("kdim", 4)},
        {5, 3, 6},
        "layer \"x\" (MultiheadAttention): wants kdim 4, got 6"},
       {"TransformerEncoderLayer", {Arg("nhead", 3)}, {5, 2, 6}, "[5, 2, 6]"},
       {"TransformerEncoderLayer", {Arg("nhead", 3)}, {5, 6}, "[5, 6]"},
       {"TransformerEncoderLayer",
        {Arg("nhead", 3)},
        {5, 2, 6, 1},
        "layer \"x\" (TransformerEncoderLayer): wants a rank of 2 (unbatched) or 3, got shape [5, "
        "2, 6, 1]"},
       {"TransformerEncoderLayer",
        {Arg("nhead", 3)},
        {5, 2, 4},
        "layer \"x\" (TransformerEncoderLayer): wants d_model divisible by nhead 3, got 4"},
       {"TransformerEncoderLayer",
        {Arg("nhead", 3), Arg("d_model", 3)},
        {5, 2, 6},
        "layer \"x\" (TransformerEncoderLayer): wants d_model 3, got 6"}});
}

// A layer on several inputs: the shapes of all its outputs, or the error.
std::string InferMany(const std::string& type, Attributes attributes, std::vector<Shape> inputs,
                      DType dtype = DType::kFp32) {
  NetworkDefinition definition = DefinitionOf({LayerOf("x", type, std::move(attributes))});
  for (size_t i = 0; i < inputs.size(); ++i) {
    definition.inputs.push_back({.name = "in" + std::to_string(i), .dtype = dtype});
    definition.layers[0].inputs.push_back(definition.inputs.back().name);
  }
  const auto network = NetworkOf(definition);
  const auto inference = network->Infer(inputs, network->DeclaredSizes());
  if (!inference.ok()) return std::string(Message(inference.status()));
  std::string text;
  for (const Shape& shape : inference->shapes[0]) text += shape.ToString();
  return text;
}

TEST(Inference, Embedding) {
  const Attributes table{Arg("num_embeddings", 9), Arg("embedding_dim", 4)};
  EXPECT_EQ(InferMany("Embedding", table, {{}}, DType::kInt32), "[4]");
  EXPECT_EQ(InferMany("Embedding", table, {{2, 0, 3}}, DType::kInt64), "[2, 0, 3, 4]");
}

TEST(Inference, Bilinear) {
  const auto infer = [](const Shape& left, const Shape& right) {
    return InferMany("Bilinear", {Arg("out_features", 4), Arg("in2_features", 5)}, {left, right});
  };
  EXPECT_EQ(infer({2, 3}, {2, 5}), "[2, 4]");
  EXPECT_EQ(infer({3}, {5}), "[4]");
  EXPECT_EQ(infer({0, 7, 3}, {0, 7, 5}), "[0, 7, 4]");
  EXPECT_EQ(infer({2, 3}, {2, 4}), "layer \"x\" (Bilinear): wants in2_features 5, got 4");
  EXPECT_EQ(infer({2, 0}, {2, 5}),
            "layer \"x\" (Bilinear): wants in1_features of at least 1, got 0");
  EXPECT_EQ(infer({2, 3}, {5}),
            "layer \"x\" (Bilinear): wants shapes that agree but for the last dim, got [2, 3] and "
            "[5]");
  EXPECT_EQ(infer({2, 3}, {1, 5}),
            "layer \"x\" (Bilinear): wants shapes that agree but for the last dim, got [2, 3] and "
            "[1, 5]");
  EXPECT_EQ(infer({}, {}),
            "layer \"x\" (Bilinear): wants shapes that agree but for the last dim, got [] and []");
}

TEST(Inference, RecurrentLayersGiveTheirStatesToo) {
  const Attributes both{Arg("hidden_size", 4), Arg("num_layers", 3), Arg("bidirectional", true)};
  EXPECT_EQ(InferMany("RNN", both, {{7, 2, 5}}), "[7, 2, 8][6, 2, 4]");
  EXPECT_EQ(InferMany("GRU", both, {{7, 5}}), "[7, 8][6, 4]");
  EXPECT_EQ(InferMany("GRU", both, {{7, 0, 5}}), "[7, 0, 8][6, 0, 4]");
  EXPECT_EQ(
      InferMany("LSTM", {Arg("hidden_size", 4), Arg("proj_size", 3), Arg("batch_first", true)},
                {{2, 7, 5}}),
      "[2, 7, 3][1, 2, 3][1, 2, 4]");
  EXPECT_EQ(InferMany("RNN", both, {{5}}),
            "layer \"x\" (RNN): wants a rank of 2 (unbatched) or 3, got shape [5]");
  EXPECT_EQ(InferMany("RNN", both, {{0, 2, 5}}),
            "layer \"x\" (RNN): wants at least 1 step, got shape [0, 2, 5]");
  EXPECT_EQ(InferMany("GRU", {Arg("hidden_size", 4), Arg("input_size", 3)}, {{7, 5}}),
            "layer \"x\" (GRU): wants input_size 3, got 5");
}

TEST(Inference, InitialStatesFit) {
  const Attributes attributes{Arg("hidden_size", 4), Arg("num_layers", 2),
                              Arg("batch_first", true)};
  EXPECT_EQ(InferMany("GRU", attributes, {{3, 7, 5}, {2, 3, 4}}), "[3, 7, 4][2, 3, 4]");
  EXPECT_EQ(InferMany("GRU", attributes, {{7, 5}, {2, 4}}), "[7, 4][2, 4]");
  EXPECT_EQ(InferMany("GRU", attributes, {{3, 7, 5}, {2, 7, 4}}),
            "layer \"x\" (GRU): wants an initial state of shape [2, 3, 4], got [2, 7, 4]");
  EXPECT_EQ(InferMany("LSTM", attributes, {{3, 7, 5}, {2, 3, 4}, {2, 4}}),
            "layer \"x\" (LSTM): wants an initial state of shape [2, 3, 4], got [2, 4]");
}

TEST(Inference, AttentionOfThreeInputs) {
  const auto infer = [](const Shape& query, const Shape& key, const Shape& value) {
    return InferMany("MultiheadAttention", {Arg("num_heads", 2), Arg("kdim", -1), Arg("vdim", 5)},
                     {query, key, value});
  };
  EXPECT_EQ(infer({7, 2, 6}, {4, 2, 3}, {4, 2, 5}), "[7, 2, 6][2, 7, 4]");
  EXPECT_EQ(infer({7, 6}, {4, 3}, {4, 5}), "[7, 6][7, 4]");
  EXPECT_EQ(infer({7, 2, 6}, {4, 2, 3}, {4, 2, 4}),
            "layer \"x\" (MultiheadAttention): wants vdim 5, got 4");
  EXPECT_EQ(infer({7, 2, 6}, {4, 3}, {4, 5}),
            "layer \"x\" (MultiheadAttention): wants query, key and value of one rank, got [7, 2, "
            "6] and [4, 3]");
  EXPECT_EQ(infer({7, 2, 6}, {4, 2, 3}, {5, 2, 5}),
            "layer \"x\" (MultiheadAttention): wants one batch, and key and value of one length, "
            "got [7, 2, 6], [4, 2, 3] and [5, 2, 5]");
  EXPECT_EQ(infer({7, 2, 6}, {4, 1, 3}, {4, 1, 5}),
            "layer \"x\" (MultiheadAttention): wants one batch, and key and value of one length, "
            "got [7, 2, 6], [4, 1, 3] and [4, 1, 5]");
}

TEST(Inference, JoinsInputsThatFit) {
  NetworkDefinition definition =
      DefinitionOf({LayerOf("sum", "Add", {}, {"a", "b"}),
                    LayerOf("cat", "Concat", {Arg("dim", -1)}, {"a", "sum"})});
  definition.inputs = {{.name = "a"}, {.name = "b"}};
  const auto network = NetworkOf(definition);
  const auto infer = [&](const Shape& a, const Shape& b) {
    const Shape inputs[] = {a, b};
    const auto inference = network->Infer(inputs, network->DeclaredSizes());
    return inference.ok() ? inference->shapes[1][0].ToString()
                          : std::string(Message(inference.status()));
  };
  EXPECT_EQ(infer({2, 3}, {3}), "[2, 6]");
  EXPECT_EQ(infer({2, 3}, {2, 4}),
            "layer \"sum\" (Add): wants shapes that broadcast, got [2, 3] and [2, 4]");
  EXPECT_EQ(
      infer({1, 3}, {2, 3}),
      "layer \"cat\" (Concat): wants shapes that agree but for dim -1, got [1, 3] and [2, 3]");
}

TEST(Inference, OutputsBeyondTheBoundsAreRefused) {
  ExpectRows(
      {{"ConvTranspose1d",
        {Arg("out_channels", 1), PerAxis("kernel_size", {1}), PerAxis("stride", {2147483647})},
        {1, 1, 3},
        "layer \"x\" (ConvTranspose1d): wants dims from 0 to 2147483647, got 4294967295 in "
        "[1, 1, 4294967295]"},
       {"Conv1d",
        {Arg("out_channels", 1), PerAxis("kernel_size", {1}), PerAxis("padding", {2147483647}),
         Arg("padding_mode", "replicate")},
        {1, 1, 3},
        "layer \"x\" (Conv1d): wants dims from 0 to 2147483647, got 4294967297 in [1, 1, "
        "4294967297]"}});
}

}  // namespace
}  // namespace lazynet::nn
