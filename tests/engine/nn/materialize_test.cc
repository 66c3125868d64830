#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <bit>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

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
  const std::pair<std::string, Tensor> loaded[] = {{"a.weight", drawn.value(0, 0)->tensor}};
  auto set = LoadStateDict(*network, ParameterSet::Declared(*network), loaded);
  ASSERT_TRUE(set.ok());
  const Shape input{1, 3};
  set = Materialize(*network, *set, {&input, 1}, {});
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(Sha256(set->value(0, 1)->tensor), Sha256(drawn.value(0, 1)->tensor));
  EXPECT_EQ(Sha256(set->value(1, 0)->tensor), Sha256(drawn.value(1, 0)->tensor));
  EXPECT_EQ(set->value(0, 0)->origin, Origin::kCheckpoint);
}

// A case of the golden file as a definition; nothing when it has a layer that is not there yet, or
// a cast between construction and the dry run.
std::optional<NetworkDefinition> DefinitionOfCase(const json& golden) {
  if (golden.contains("to")) return std::nullopt;
  NetworkDefinition definition{.name = "golden", .seed = golden["seed_low32"].get<int64_t>()};
  for (const json& layer : golden["layers"]) {
    std::string type = layer["type"];
    if (type == "Embedding") return std::nullopt;
    const std::string dtype = layer.value("dtype", "float32");
    if (dtype != "float32" && dtype != "float64") return std::nullopt;
    if (dtype == "float64") definition.parameter_dtype = DType::kFp64;
    if (type.starts_with("Lazy")) type = type.substr(4);
    Attributes attributes;
    const bool norm = type.find("Norm") != std::string::npos;
    const bool linear = type == "Linear";
    for (const auto& [key, value] : layer.items()) {
      if (key == "in") {
        attributes.push_back(Arg(norm     ? "num_features"
                                 : linear ? "in_features"
                                          : "in_channels",
                                 value.get<int>()));
      } else if (key == "out") {
        attributes.push_back(Arg(linear ? "out_features" : "out_channels", value.get<int>()));
      } else if (key == "kernel" || key == "stride" || key == "padding") {
        attributes.push_back(PerAxis(key == "kernel" ? "kernel_size" : key,
                                     value.is_array()
                                         ? value.get<std::vector<int64_t>>()
                                         : std::vector<int64_t>{value.get<int64_t>()}));
      } else if (key == "groups") {
        attributes.push_back(Arg(key, value.get<int>()));
      } else if (key == "bias" || key == "affine") {
        attributes.push_back(Arg(key, value.get<bool>()));
      } else if (key == "track") {
        attributes.push_back(Arg("track_running_stats", value.get<bool>()));
      }
    }
    definition.layers.push_back(
        LayerOf(std::to_string(definition.layers.size()), type, std::move(attributes)));
  }
  return definition;
}

TEST(Materialize, MatchesEveryGoldenNetworkOfPyTorch) {
  const std::filesystem::path path =
      std::filesystem::path(LAZYNET_SOURCE_DIR) / "../shared/reference/torch_rng_golden.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "NOT TESTED: no golden file at " << path;
  std::ifstream file(path);
  const json goldens = json::parse(file);
  int networks = 0;
  for (const json& golden : goldens["cases"]) {
    const auto definition = DefinitionOfCase(golden);
    if (!definition) continue;
    ++networks;
    const auto network = NetworkOf(*definition);
    const auto dims = golden["input"].get<std::vector<int64_t>>();
    const ParameterSet set = MaterializeFor(*network, Shape(dims));
    size_t checked = 0;
    for (size_t node = 0; node < network->nodes().size(); ++node) {
      const size_t count = network->nodes()[node].layer->parameters().size();
      for (size_t i = 0; i < count; ++i) {
        const std::string name = network->nodes()[node].ParameterName(static_cast<int>(i));
        const Tensor& tensor = set.value(static_cast<int>(node), static_cast<int>(i))->tensor;
        EXPECT_EQ(Sha256(tensor), golden["params"][name]["sha256"])
            << golden["name"] << " seed " << golden["seed"] << " " << name;
        ++checked;
      }
    }
    EXPECT_EQ(checked, golden["params"].size()) << golden["name"];
  }
  EXPECT_EQ(networks, 66);
}

}  // namespace
}  // namespace lazynet::nn
