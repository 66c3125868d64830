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
