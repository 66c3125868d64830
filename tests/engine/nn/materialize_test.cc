#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <bit>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/init/distributions.h"
#include "engine/nn/parameter_set.h"
#include "tests/support/definitions.h"

namespace lazynet::nn {
namespace {

using nlohmann::json;
using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::LazyMlp;
using testing::NetworkOf;
using testing::PerAxis;

ParameterSet MaterializeFor(const Network& network, const Shape& input) {
  auto set = Materialize(network, ParameterSet::Declared(network), {&input, 1}, {});
  LAZYNET_CHECK(set.ok());
  return *std::move(set);
}

std::string Sha256(const Tensor& tensor) {
  std::array<unsigned char, 32> digest;
  EVP_Digest(tensor.data(), tensor.bytes(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

TEST(Materialize, GivesPyTorchsBitsForSeed0) {
  const auto network = NetworkOf(LazyMlp());
  const ParameterSet set = MaterializeFor(*network, {10, 10});
  ASSERT_TRUE(set.complete());
  const auto weight = set.value(0, 0)->tensor.values<float>();
  EXPECT_EQ(std::bit_cast<uint32_t>(weight[0]), 0xbb1b28bdu);
  EXPECT_EQ(std::bit_cast<uint32_t>(weight[1]), 0x3e2db5adu);
  EXPECT_EQ(std::bit_cast<uint32_t>(weight[2]), 0xbe854213u);
  EXPECT_EQ(std::bit_cast<uint32_t>(set.value(0, 1)->tensor.values<float>()[0]), 0x3e9850bfu);
  EXPECT_EQ(set.value(0, 0)->origin, Origin::kInitializer);
  EXPECT_EQ(set.bytes(), (100u + 10 + 10 + 1) * 4);
}

TEST(Materialize, LeavesTheSetItStartsFromAlone) {
  const auto network = NetworkOf(LazyMlp());
  const ParameterSet declared = ParameterSet::Declared(*network);
  EXPECT_FALSE(declared.sizes_known());
  EXPECT_EQ(declared.bytes(), 0u);
  const Shape bad{};
  EXPECT_FALSE(Materialize(*network, declared, {&bad, 1}, {}).ok());
  const Shape good{1, 3};
  EXPECT_TRUE(Materialize(*network, declared, {&good, 1}, {})->complete());
  EXPECT_FALSE(declared.sizes_known());
  EXPECT_FALSE(declared.complete());
}

TEST(Materialize, RefusesMoreThanTheLimitBeforeItAllocates) {
  const auto network = NetworkOf(LazyMlp());
  const Shape huge{0, 2'000'000'000};
  const auto set = Materialize(*network, ParameterSet::Declared(*network), {&huge, 1},
                               {.max_parameter_bytes = 1 << 20});
  EXPECT_EQ(set.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Message(set.status()),
            "parameter \"fc1.weight\" of shape [10, 2000000000]: wants at most 1048576 bytes of "
            "parameters, got 80000000000");
}

TEST(Materialize, AnEmptyBatchTellsTheSizesAsWell) {
  const auto network = NetworkOf(LazyMlp());
  const ParameterSet set = MaterializeFor(*network, {0, 10});
  EXPECT_EQ(std::bit_cast<uint32_t>(set.value(0, 0)->tensor.values<float>()[0]), 0xbb1b28bdu);
}

TEST(Materialize, PerLayerValuesDoNotDependOnOtherLayers) {
  NetworkDefinition alone = DefinitionOf({LayerOf("fc2", "Linear", {Arg("out_features", 4)})});
  NetworkDefinition after = DefinitionOf({LayerOf("fc1", "Linear", {Arg("out_features", 10)}),
                                          LayerOf("fc2", "Linear", {Arg("out_features", 4)})});
  alone.draw_order = after.draw_order = DrawOrder::kPerLayer;
  const ParameterSet first = MaterializeFor(*NetworkOf(alone), {1, 10});
  const ParameterSet second = MaterializeFor(*NetworkOf(after), {1, 3});
  EXPECT_EQ(Sha256(first.value(0, 0)->tensor), Sha256(second.value(1, 0)->tensor));
  EXPECT_NE(Sha256(first.value(0, 0)->tensor), Sha256(second.value(0, 0)->tensor));
}

// An eager layer draws when PyTorch constructs it, so loading its values does not move the stream
// for the layers after it.
TEST(Materialize, LoadedEagerValuesStillConsumeTheirDraws) {
  const auto network = NetworkOf(
      DefinitionOf({LayerOf("a", "Linear", {Arg("in_features", 3), Arg("out_features", 2)}),
                    LayerOf("b", "Linear", {Arg("out_features", 2)})}));
  const ParameterSet drawn = MaterializeFor(*network, {1, 3});
  const StateDict loaded{{"a.weight", drawn.value(0, 0)->tensor}};
  auto set = LoadStateDict(*network, ParameterSet::Declared(*network), loaded);
  ASSERT_TRUE(set.ok());
  const Shape input{1, 3};
  set = Materialize(*network, *set, {&input, 1}, {});
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(Sha256(set->value(0, 1)->tensor), Sha256(drawn.value(0, 1)->tensor));
  EXPECT_EQ(Sha256(set->value(1, 0)->tensor), Sha256(drawn.value(1, 0)->tensor));
  EXPECT_EQ(set->value(0, 0)->origin, Origin::kCheckpoint);
}

DType TypeNamed(const std::string& torch_name) {
  if (torch_name == "float64") return DType::kFp64;
  if (torch_name == "float16") return DType::kFp16;
  if (torch_name == "bfloat16") return DType::kBf16;
  return DType::kFp32;
}

Attributes AttributesOfCase(const json& layer, const std::string& type) {
  const bool norm = type.find("Norm") != std::string::npos;
  const bool linear = type == "Linear";
  const std::map<std::string, std::string> names = {
      {"in", norm     ? "num_features"
             : linear ? "in_features"
                      : "in_channels"},
      {"out", linear ? "out_features" : "out_channels"},
      {"kernel", "kernel_size"},
      {"track", "track_running_stats"},
      {"num", "num_embeddings"},
      {"dim", "embedding_dim"}};
  Attributes attributes;
  for (const auto& [key, value] : layer.items()) {
    if (key == "type" || key == "dtype") continue;
    const std::string name = names.contains(key) ? names.at(key) : key;
    if (key == "kernel" || key == "stride" || key == "padding") {
      attributes.push_back(PerAxis(name, value.is_array()
                                             ? value.get<std::vector<int64_t>>()
                                             : std::vector<int64_t>{value.get<int64_t>()}));
    } else if (value.is_boolean()) {
      attributes.push_back(Arg(name, value.get<bool>()));
    } else {
      attributes.push_back(Arg(name, value.get<int>()));
    }
  }
  return attributes;
}

// A case of the golden file: a definition, and the shapes of its inputs.
struct GoldenCase {
  NetworkDefinition definition;
  std::vector<Shape> inputs;
};

// Layers follow one another; but where embeddings stand among others, each has an input of its own,
// since only the order of their draws is meant.
GoldenCase ReadCase(const json& golden) {
  NetworkDefinition definition{.name = "golden", .seed = golden["seed_low32"].get<int64_t>()};
  if (golden.contains("to")) definition.parameter_dtype = TypeNamed(golden["to"]);
  for (const json& layer : golden["layers"]) {
    std::string type = layer["type"];
    if (type.starts_with("Lazy")) type = type.substr(4);
    LayerDefinition& added = definition.layers.emplace_back(
        LayerOf(std::to_string(definition.layers.size()), type, AttributesOfCase(layer, type)));
    if (layer.contains("dtype")) added.dtype = TypeNamed(layer["dtype"]);
  }
  const Shape input(golden["input"].get<std::vector<int64_t>>());
  std::vector<Shape> inputs;
  const bool apart = definition.layers.size() > 1 && definition.layers[0].type == "Embedding";
  for (size_t i = 0; i < (apart ? definition.layers.size() : 1); ++i) {
    LayerDefinition& layer = definition.layers[i];
    const bool embeds = layer.type == "Embedding";
    definition.inputs.push_back({.name = "input" + std::to_string(i),
                                 .dtype = embeds ? std::optional(DType::kInt64) : layer.dtype});
    layer.inputs = {definition.inputs.back().name};
    const auto weight = golden["params"].find(std::to_string(i) + ".weight");
    inputs.push_back(apart && !embeds ? Shape{1, (*weight)["shape"][1].get<int64_t>()} : input);
  }
  return {std::move(definition), std::move(inputs)};
}

std::string NextOf(init::Generator& stream) {
  float next = 0;
  init::Uniform(stream, 0, 1, {DType::kFp32, Shape{1}, reinterpret_cast<std::byte*>(&next)});
  return fmt::format("{:08x}", std::bit_cast<uint32_t>(next));
}

TEST(Materialize, MatchesEveryGoldenNetworkOfPyTorch) {
  const std::filesystem::path path =
      std::filesystem::path(LAZYNET_SOURCE_DIR) / "../shared/reference/torch_rng_golden.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "NOT TESTED: no golden file at " << path;
  std::ifstream file(path);
  const json goldens = json::parse(file);
  int networks = 0;
  size_t tensors = 0;
  for (const json& golden : goldens["cases"]) {
    const std::string name = golden["name"];
    ++networks;
    const GoldenCase one = ReadCase(golden);
    const auto created = Network::Create(one.definition);
    ASSERT_TRUE(created.ok()) << name << ": " << created.status();
    const auto& network = *created;
    init::Generator stream(golden["seed_low32"].get<uint64_t>());
    const auto made =
        Materialize(*network, ParameterSet::Declared(*network), one.inputs, {}, &stream);
    ASSERT_TRUE(made.ok()) << name << ": " << made.status();
    const ParameterSet& set = *made;
    EXPECT_EQ(stream.words(), golden["words"].get<uint64_t>()) << name;
    EXPECT_EQ(NextOf(stream), golden["next_f32"]) << name;
    size_t checked = 0;
    for (size_t node = 0; node < network->nodes().size(); ++node) {
      const size_t count = network->nodes()[node].parameters().size();
      for (size_t i = 0; i < count; ++i) {
        const std::string key = network->nodes()[node].ParameterName(static_cast<int>(i));
        const Tensor& tensor = set.value(static_cast<int>(node), static_cast<int>(i))->tensor;
        EXPECT_EQ(Sha256(tensor), golden["params"][key]["sha256"])
            << name << " seed " << golden["seed"] << " " << key;
        ++checked;
      }
    }
    EXPECT_EQ(checked, golden["params"].size()) << name;
    tensors += checked;
  }
  EXPECT_EQ(networks, 132);
  EXPECT_EQ(tensors, 444u);
}

}  // namespace
}  // namespace lazynet::nn
