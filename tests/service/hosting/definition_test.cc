#include "service/hosting/definition.h"

#include <gtest/gtest.h>

#include "engine/nn/initializer_registry.h"
#include "engine/nn/layer_registry.h"
#include "engine/nn/network.h"
#include "proto/lazynet/v1/network.pb.h"

namespace lazynet::hosting {
namespace {

TEST(Definition, TextBecomesLayersWithTheArgumentsThatAreSet) {
  const auto definition = ParseDefinitionText(R"(
      inputs { name: "x" shape: [-1, 3] }
      layers { name: "conv" inputs: "x" conv2d { out_channels: 8 kernel_size: [3, 5] bias: false } }
      layers { name: "act" leaky_relu { negative_slope: 0.2 } }
      outputs { name: "y" layer: "act" }
      seed: -1 draw_order: PER_LAYER parameter_dtype: "FP64")",
                                              "net");
  ASSERT_TRUE(definition.ok()) << definition.status();
  EXPECT_EQ(definition->name, "net");
  EXPECT_EQ(definition->inputs[0].shape, (Shape{kUnknownDim, 3}));
  const nn::LayerDefinition& conv = definition->layers[0];
  EXPECT_EQ(conv.type, "Conv2d");
  EXPECT_EQ(conv.inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(conv.attributes, (nn::Attributes{{"out_channels", int64_t{8}},
                                             {"kernel_size", std::vector<int64_t>{3, 5}},
                                             {"bias", false}}));
  EXPECT_EQ(definition->layers[1].attributes, (nn::Attributes{{"negative_slope", 0.2}}));
  EXPECT_EQ(definition->outputs[0].source, "act");
  EXPECT_EQ(definition->seed, -1);
  EXPECT_EQ(definition->draw_order, nn::DrawOrder::kPerLayer);
  EXPECT_EQ(definition->parameter_dtype, DType::kFp64);
  EXPECT_EQ(definition->compute_dtype, std::nullopt);
}

TEST(Definition, SaysWhatToComputeIn) {
  const auto read = [](std::string_view compute) {
    return ParseDefinitionText(fmt::format("layers {{ name: \"a\" relu {{}} }} {}", compute),
                               "net");
  };
  EXPECT_EQ(read("compute: \"BF16\"")->compute_dtype, DType::kBf16);
  EXPECT_EQ(read("compute: \"FP32\"")->compute_dtype, DType::kFp32);
  const auto fingerprint = [](const char* text) { return Fingerprint(*ReadDefinitionText(text)); };
  EXPECT_EQ(fingerprint("compute: \"BF16\""), fingerprint(""));
  EXPECT_NE(fingerprint("parameter_dtype: \"BF16\""), fingerprint(""));
  const auto wrong = read("compute: \"bf16\"");
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(wrong.status()), "compute: unknown datatype \"bf16\"");
}

TEST(Definition, InitializersAreFunctionsWithPyTorchsDefaults) {
  const auto definition = ParseDefinitionText(R"(
      layers {
        name: "fc" linear { out_features: 3 }
        initializers { parameter: "weight" kaiming_normal { mode: "fan_out" nonlinearity: "relu" } }
        initializers { parameter: "bias" zeros {} }
      })",
                                              "net");
  ASSERT_TRUE(definition.ok()) << definition.status();
  const auto& initializers = definition->layers[0].initializers;
  ASSERT_EQ(initializers.size(), 2u);
  EXPECT_EQ(initializers[0].parameter, "weight");
  const auto& kaiming = std::get<init::KaimingNormalInitializer>(initializers[0].initializer);
  EXPECT_EQ(kaiming.negative_slope, 0.0);
  EXPECT_EQ(kaiming.mode, init::FanMode::kFanOut);
  EXPECT_EQ(kaiming.nonlinearity, init::Nonlinearity::kRelu);
  EXPECT_EQ(initializers[1].parameter, "bias");
  EXPECT_EQ(std::get<init::ConstantInitializer>(initializers[1].initializer).value, 0.0);
}

TEST(Definition, InitializersInJson) {
  const auto definition = ParseDefinitionJson(
      R"({"layers": [{"name": "fc", "linear": {"outFeatures": 1},
          "initializers": [{"parameter": "weight", "xavierUniform": {"gain": 2}}]}]})",
      "net");
  ASSERT_TRUE(definition.ok()) << definition.status();
  const auto& made = definition->layers[0].initializers.at(0);
  EXPECT_EQ(std::get<init::XavierUniformInitializer>(made.initializer).gain, 2.0);
}

TEST(Definition, ErrorsOfInitializersNameLayerParameterAndArgument) {
  const auto error = [](const std::string& initializer) {
    auto definition = ParseDefinitionText(
        "layers { name: 'fc' linear { in_features: 4 out_features: 3 } initializers { " +
            initializer + " } }",
        "net");
    if (!definition.ok()) return std::string(Message(definition.status()));
    return std::string(Message(nn::Network::Create(*std::move(definition)).status()));
  };
  EXPECT_EQ(error("parameter: 'weight'"),
            "layer \"fc\": initializer of \"weight\" wants a function");
  EXPECT_EQ(error("parameter: 'weight' constant {}"),
            "layer \"fc\": initializer of \"weight\": constant: argument val is missing");
  EXPECT_EQ(
      error("parameter: 'bias' kaiming_uniform { mode: 'in' }"),
      "layer \"fc\": initializer of \"bias\": kaiming_uniform: argument mode wants \"fan_in\" "
      "or \"fan_out\", got \"in\"");
  EXPECT_EQ(
      error("parameter: 'weight' uniform { a: 2 }"),
      "layer \"fc\" (Linear): initializer of \"weight\": uniform: wants a <= b, got a 2 and b "
      "1");
  EXPECT_EQ(error("parameter: 'bias' xavier_normal {}"),
            "layer \"fc\" (Linear): initializer of \"bias\": xavier_normal: wants a rank of at "
            "least 2, got shape [3]");
  EXPECT_EQ(error("parameter: 'wieght' zeros {}"),
            "layer \"fc\" (Linear): initializer: the layer has no parameter \"wieght\"");
  EXPECT_EQ(error("parameter: 'weight' zeros {} } initializers { parameter: 'weight' ones {}"),
            "layer \"fc\" (Linear): initializer of \"weight\" is there twice");
}

TEST(Definition, JsonSaysTheSame) {
  const auto definition = ParseDefinitionJson(
      R"({"layers": [{"name": "fc", "linear": {"outFeatures": "10", "bias": false}}]})", "net");
  ASSERT_TRUE(definition.ok()) << definition.status();
  EXPECT_EQ(definition->layers[0].type, "Linear");
  EXPECT_EQ(definition->layers[0].attributes,
            (nn::Attributes{{"out_features", int64_t{10}}, {"bias", false}}));
}

TEST(Definition, ErrorsTellLineAndColumn) {
  const auto error = [](const char* text) {
    return std::string(Message(ParseDefinitionText(text, "net").status()));
  };
  EXPECT_EQ(error("layers {\n  name: \"a\"\n  linear { out: 3 }\n}"),
            "3:15: Message type \"lazynet.v1.Linear\" has no field named \"out\".");
  EXPECT_EQ(error("layers { name: \"a\" linear { out_features: \"x\" } }").substr(0, 4), "1:43");
  EXPECT_EQ(error("layers { name: \"a\" }"), "layer \"a\": wants a type");
  EXPECT_EQ(error("inputs { name: \"x\" datatype: \"fp32\" }"),
            "input \"x\": unknown datatype \"fp32\"");
  EXPECT_FALSE(error("layers {").empty());
}

TEST(Definition, UnknownJsonFieldsAreErrors) {
  EXPECT_FALSE(ParseDefinitionJson(R"({"layerz": []})", "net").ok());
  EXPECT_FALSE(ParseDefinitionJson("{", "net").ok());
}

// The definition language and the engine must not drift apart.
TEST(Definition, EveryMessageOfTheLanguageIsALayerOfTheEngine) {
  const auto* oneof = v1::Layer::descriptor()->FindOneofByName("type");
  std::vector<std::string> language;
  for (int i = 0; i < oneof->field_count(); ++i) {
    language.push_back(oneof->field(i)->message_type()->name());
  }
  std::sort(language.begin(), language.end());
  EXPECT_EQ(language, nn::LayerTypes());
}

TEST(Definition, EveryFunctionOfTheLanguageIsAnInitializerOfTheEngine) {
  const auto* oneof = v1::Initializer::descriptor()->FindOneofByName("function");
  std::vector<std::string> language;
  for (int i = 0; i < oneof->field_count(); ++i) {
    language.push_back(oneof->field(i)->name());
    nn::Attributes attributes;
    const auto* function = oneof->field(i)->message_type();
    for (int k = 0; k < function->field_count(); ++k) {
      const auto* field = function->field(k);
      nn::AttributeValue value = 0.5;
      using Field = google::protobuf::FieldDescriptor;
      if (field->cpp_type() == Field::CPPTYPE_INT64) value = int64_t{1};
      if (field->name() == "mode") value = std::string("fan_out");
      if (field->name() == "nonlinearity") value = std::string("relu");
      attributes.emplace_back(field->name(), value);
    }
    EXPECT_TRUE(nn::MakeInitializer(oneof->field(i)->name(), attributes).ok());
  }
  std::sort(language.begin(), language.end());
  EXPECT_EQ(language, nn::InitializerFunctions());
}

// Every argument of the language is one that the layer reads: set alone (or beside what is
// required), it is never "has no argument".
TEST(Definition, EveryArgumentOfTheLanguageIsRead) {
  const auto* oneof = v1::Layer::descriptor()->FindOneofByName("type");
  for (int i = 0; i < oneof->field_count(); ++i) {
    const auto* type = oneof->field(i)->message_type();
    for (int k = 0; k < type->field_count(); ++k) {
      const auto* field = type->field(k);
      nn::AttributeValue value = int64_t{1};
      using Field = google::protobuf::FieldDescriptor;
      if (field->is_repeated()) value = std::vector<int64_t>{1};
      if (field->cpp_type() == Field::CPPTYPE_BOOL) value = true;
      if (field->cpp_type() == Field::CPPTYPE_DOUBLE) value = 0.5;
      if (field->cpp_type() == Field::CPPTYPE_STRING) value = std::string("zeros");
      nn::Attributes attributes{{field->name(), value}};
      for (const char* needed : {"out_features", "out_channels"}) {
        if (type->FindFieldByName(needed) != nullptr && field->name() != needed) {
          attributes.emplace_back(needed, int64_t{1});
        }
      }
      for (const char* needed : {"kernel_size", "output_size"}) {
        if (type->FindFieldByName(needed) != nullptr && field->name() != needed) {
          attributes.emplace_back(needed, std::vector<int64_t>{3});
        }
      }
      const auto layer = nn::MakeLayer(type->name(), attributes);
      EXPECT_EQ(Message(layer.status()).find("has no argument"), std::string_view::npos)
          << type->name() << "." << field->name() << ": " << layer.status();
      EXPECT_EQ(Message(layer.status()).find("wants an integer"), std::string_view::npos)
          << type->name() << "." << field->name();
    }
  }
}

}  // namespace
}  // namespace lazynet::hosting
