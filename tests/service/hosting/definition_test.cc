#include "service/hosting/definition.h"

#include <gtest/gtest.h>

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
