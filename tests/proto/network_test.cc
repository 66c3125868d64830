// The conventions of the definition language: one message per PyTorch class, named as the class,
// its fields as the arguments.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "proto/lazynet/v1/network.pb.h"

namespace lazynet {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;
using google::protobuf::TextFormat;

const OneofDescriptor* LayerTypes() { return v1::Layer::descriptor()->FindOneofByName("type"); }

// LeakyReLU -> leaky_relu, ConvTranspose2d -> conv_transpose2d, RMSNorm -> rms_norm. A word starts
// at a capital with a small letter after it, if a small letter or an abbreviation of at least two
// letters is before it.
std::string SnakeCase(const std::string& name) {
  const auto upper = [&](size_t i) { return std::isupper(static_cast<unsigned char>(name[i])); };
  const auto lower = [&](size_t i) { return std::islower(static_cast<unsigned char>(name[i])); };
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool capitalized = upper(i) && i + 1 < name.size() && lower(i + 1);
    const bool after_word = i > 0 && lower(i - 1);
    const bool after_abbreviation = i > 1 && upper(i - 1) && upper(i - 2);
    if (capitalized && (after_word || after_abbreviation)) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return snake;
}

TEST(NetworkProto, LayersHaveTheirNamesAndNumbers) {
  const std::map<int, std::string> expected = {
      {10, "linear"},
      {20, "conv1d"},
      {21, "conv2d"},
      {22, "conv3d"},
      {30, "conv_transpose1d"},
      {31, "conv_transpose2d"},
      {32, "conv_transpose3d"},
      {40, "batch_norm1d"},
      {41, "batch_norm2d"},
      {42, "batch_norm3d"},
      {44, "instance_norm1d"},
      {45, "instance_norm2d"},
      {46, "instance_norm3d"},
      {60, "relu"},
      {61, "relu6"},
      {62, "leaky_relu"},
      {63, "prelu"},
      {64, "elu"},
      {65, "gelu"},
      {66, "silu"},
      {67, "mish"},
      {68, "hardswish"},
      {69, "hardsigmoid"},
      {70, "sigmoid"},
      {71, "tanh"},
      {72, "softplus"},
      {73, "softmax"},
      {74, "log_softmax"},
      {90, "max_pool1d"},
      {91, "max_pool2d"},
      {92, "max_pool3d"},
      {94, "avg_pool1d"},
      {95, "avg_pool2d"},
      {96, "avg_pool3d"},
      {98, "adaptive_avg_pool1d"},
      {99, "adaptive_avg_pool2d"},
      {100, "adaptive_avg_pool3d"},
      {110, "flatten"},
      {120, "identity"},
      {121, "dropout"},
      {122, "dropout1d"},
      {123, "dropout2d"},
      {124, "dropout3d"},
      {125, "alpha_dropout"},
      {126, "feature_alpha_dropout"},
      {130, "add"},
      {131, "mul"},
      {132, "concat"},
  };
  std::map<int, std::string> actual;
  for (int i = 0; i < LayerTypes()->field_count(); ++i) {
    actual[LayerTypes()->field(i)->number()] = LayerTypes()->field(i)->name();
  }
  // Layers come to be without a change here; these stay what they are.
  for (const auto& [number, name] : expected) EXPECT_EQ(actual[number], name) << number;
}

TEST(NetworkProto, LayersAreCalledAsTheirClassInSnakeCase) {
  for (int i = 0; i < LayerTypes()->field_count(); ++i) {
    const FieldDescriptor* field = LayerTypes()->field(i);
    ASSERT_NE(field->message_type(), nullptr) << field->name();
    EXPECT_EQ(field->name(), SnakeCase(field->message_type()->name()));
    EXPECT_EQ(field->message_type()->file(), v1::Layer::descriptor()->file()) << field->name();
  }
}

TEST(NetworkProto, NoTwoLayersShareAMessage) {
  std::set<const Descriptor*> seen;
  for (int i = 0; i < LayerTypes()->field_count(); ++i) {
    const FieldDescriptor* field = LayerTypes()->field(i);
    EXPECT_TRUE(seen.insert(field->message_type()).second) << field->name();
  }
}

TEST(NetworkProto, ArgumentsAreKnownToBeGivenOrNot) {
  for (int i = 0; i < LayerTypes()->field_count(); ++i) {
    const Descriptor* layer = LayerTypes()->field(i)->message_type();
    for (int j = 0; j < layer->field_count(); ++j) {
      const FieldDescriptor* argument = layer->field(j);
      EXPECT_TRUE(argument->is_repeated() || argument->has_presence()) << argument->full_name();
    }
  }
}

TEST(NetworkProto, ArgumentsHaveTheTypesTheConversionKnows) {
  const std::set<FieldDescriptor::Type> singular = {
      FieldDescriptor::TYPE_INT64, FieldDescriptor::TYPE_DOUBLE, FieldDescriptor::TYPE_BOOL,
      FieldDescriptor::TYPE_STRING, FieldDescriptor::TYPE_ENUM};
  for (int i = 0; i < LayerTypes()->field_count(); ++i) {
    const Descriptor* layer = LayerTypes()->field(i)->message_type();
    for (int j = 0; j < layer->field_count(); ++j) {
      const FieldDescriptor* argument = layer->field(j);
      if (argument->is_repeated()) {
        EXPECT_TRUE(argument->type() == FieldDescriptor::TYPE_INT64 ||
                    argument->type() == FieldDescriptor::TYPE_DOUBLE)
            << argument->full_name();
      } else {
        EXPECT_EQ(singular.count(argument->type()), 1u) << argument->full_name();
      }
    }
  }
}

// In PyTorch's order, without those that mean nothing to inference.
TEST(NetworkProto, ArgumentsAreThoseOfPyTorch) {
  using Names = std::vector<std::string>;
  const Names conv = {"in_channels", "out_channels", "kernel_size", "stride",       "padding",
                      "dilation",    "groups",       "bias",        "padding_mode", "auto_padding"};
  const Names conv_transpose = {"in_channels", "out_channels",   "kernel_size", "stride",
                                "padding",     "output_padding", "groups",      "bias",
                                "dilation",    "padding_mode"};
  const Names norm = {"num_features", "eps", "momentum", "affine", "track_running_stats"};
  const Names max_pool = {"kernel_size", "stride", "padding", "dilation", "ceil_mode"};
  const Names avg_pool1d = {"kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"};
  const Names avg_pool = {"kernel_size",       "stride",          "padding", "ceil_mode",
                          "count_include_pad", "divisor_override"};
  const std::map<std::string, Names> expected = {
      {"Linear", {"in_features", "out_features", "bias"}},
      {"Conv1d", conv},
      {"Conv2d", conv},
      {"Conv3d", conv},
      {"ConvTranspose1d", conv_transpose},
      {"ConvTranspose2d", conv_transpose},
      {"ConvTranspose3d", conv_transpose},
      {"BatchNorm1d", norm},
      {"BatchNorm2d", norm},
      {"BatchNorm3d", norm},
      {"InstanceNorm1d", norm},
      {"InstanceNorm2d", norm},
      {"InstanceNorm3d", norm},
      {"LeakyReLU", {"negative_slope"}},
      {"PReLU", {"num_parameters", "init"}},
      {"ELU", {"alpha"}},
      {"GELU", {"approximate"}},
      {"Softplus", {"beta", "threshold"}},
      {"Softmax", {"dim"}},
      {"LogSoftmax", {"dim"}},
      {"MaxPool1d", max_pool},
      {"MaxPool2d", max_pool},
      {"MaxPool3d", max_pool},
      {"AvgPool1d", avg_pool1d},
      {"AvgPool2d", avg_pool},
      {"AvgPool3d", avg_pool},
      {"AdaptiveAvgPool1d", {"output_size"}},
      {"AdaptiveAvgPool2d", {"output_size"}},
      {"AdaptiveAvgPool3d", {"output_size"}},
      {"Flatten", {"start_dim", "end_dim"}},
      {"Dropout", {"p"}},
      {"Dropout1d", {"p"}},
      {"Dropout2d", {"p"}},
      {"Dropout3d", {"p"}},
      {"AlphaDropout", {"p"}},
      {"FeatureAlphaDropout", {"p"}},
      {"Concat", {"dim"}},
  };
  for (const auto& [name, arguments] : expected) {
    const Descriptor* layer = v1::Layer::descriptor()->file()->FindMessageTypeByName(name);
    ASSERT_NE(layer, nullptr) << name;
    Names actual;
    for (int i = 0; i < layer->field_count(); ++i) actual.push_back(layer->field(i)->name());
    EXPECT_EQ(actual, arguments) << name;
  }
}

// Their messages are named as the functions of torch.nn.init, their fields as the arguments.
TEST(NetworkProto, InitializersAreThoseOfPyTorch) {
  using Names = std::vector<std::string>;
  const Names kaiming = {"a", "mode", "nonlinearity"};
  const std::map<std::string, Names> expected = {
      {"constant", {"val"}},
      {"zeros", {}},
      {"ones", {}},
      {"uniform", {"a", "b"}},
      {"normal", {"mean", "std"}},
      {"trunc_normal", {"mean", "std", "a", "b"}},
      {"xavier_uniform", {"gain"}},
      {"xavier_normal", {"gain"}},
      {"kaiming_uniform", kaiming},
      {"kaiming_normal", kaiming},
      {"orthogonal", {"gain"}},
      {"eye", {}},
      {"dirac", {"groups"}},
  };
  const OneofDescriptor* functions = v1::Initializer::descriptor()->FindOneofByName("function");
  std::map<std::string, Names> actual;
  for (int i = 0; i < functions->field_count(); ++i) {
    const FieldDescriptor* function = functions->field(i);
    EXPECT_EQ(function->name(), SnakeCase(function->message_type()->name()));
    Names& arguments = actual[function->name()];
    for (int j = 0; j < function->message_type()->field_count(); ++j) {
      EXPECT_TRUE(function->message_type()->field(j)->has_presence());
      arguments.push_back(function->message_type()->field(j)->name());
    }
  }
  EXPECT_EQ(actual, expected);
}

TEST(NetworkProto, ADefinitionIsReadableText) {
  v1::NetworkDefinition network;
  ASSERT_TRUE(TextFormat::ParseFromString(R"(
      # A residual block.
      inputs { name: "image" shape: [-1, 3, -1, -1] }
      layers { name: "conv1" conv2d { out_channels: 8 kernel_size: [3, 5] auto_padding: "same" } }
      layers { name: "relu1" relu {} }
      layers { name: "conv2" conv2d { out_channels: 8 kernel_size: 1 bias: false } }
      layers { name: "sum" inputs: "conv2" inputs: "relu1" add {} }
      outputs { name: "scores" layer: "sum" }
      seed: -1
      draw_order: PER_LAYER)",
                                          &network));
  EXPECT_EQ(network.layers(0).conv2d().kernel_size_size(), 2);
  EXPECT_FALSE(network.layers(0).conv2d().has_in_channels());
  EXPECT_FALSE(network.layers(0).conv2d().has_bias());
  EXPECT_TRUE(network.layers(2).conv2d().has_bias());
  EXPECT_EQ(network.layers(3).type_case(), v1::Layer::kAdd);
  EXPECT_EQ(network.seed(), -1);
  EXPECT_EQ(network.draw_order(), v1::NetworkDefinition::PER_LAYER);
}

TEST(NetworkProto, ALayerHasOneType) {
  v1::NetworkDefinition network;
  EXPECT_FALSE(TextFormat::ParseFromString(R"(layers { name: "a" relu {} tanh {} })", &network));
}

}  // namespace
}  // namespace lazynet
