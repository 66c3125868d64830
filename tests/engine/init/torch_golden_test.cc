#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/core/float16.h"
#include "engine/core/tensor.h"
#include "engine/init/distributions.h"
#include "engine/init/initializers.h"
#include "tests/engine/init/goldens.h"

namespace lazynet::init {
namespace {

// Whole networks: the goldens of the specification of the random stream, which lies beside the
// tree.
const std::string kSharedGoldens =
    std::string(LAZYNET_SOURCE_DIR) + "/../shared/reference/torch_rng_golden.json";

TEST(TorchGoldens, SequencesOfTensors) {
  const Json goldens = ReadJson(kTorchGoldens);
  for (const Json& sequence : goldens["sequences"]) {
    Generator generator(SeedOf(sequence));
    for (const Json& step : sequence["steps"]) {
      const DType dtype = *ParseDType(step["dtype"].get<std::string>());
      Tensor tensor = Allocate(dtype, Shape{step["size"].get<int64_t>()});
      const double a = step["a"];
      const double b = step["b"];
      if (step["op"] == "uniform") {
        Uniform(generator, a, b, tensor.mutable_view());
      } else {
        Normal(generator, a, b, tensor.mutable_view());
      }
      if (IsMachineDependent(dtype, step["op"] == "normal")) continue;
      ExpectGolden(tensor, step, sequence["name"].get<std::string>() + ' ' + step.dump());
    }
    EXPECT_EQ(NextOf(generator), sequence["next"]) << sequence["name"] << sequence["seed"];
  }
}

class SharedGoldens : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kSharedGoldens)) {
      GTEST_SKIP() << "NOT COMPARED with whole networks: " << kSharedGoldens << " is missing";
    }
    goldens_ = ReadJson(kSharedGoldens);
  }

  Json goldens_;
};

// A float tensor in another floating type, as module.to(dtype) makes it.
Tensor Cast(const Tensor& source, DType dtype) {
  Tensor result = Allocate(dtype, source.shape());
  std::byte* const data = result.mutable_view().data;
  const std::span<const float> values = source.values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::kFp32) reinterpret_cast<float*>(data)[i] = values[i];
    if (dtype == DType::kFp64) reinterpret_cast<double*>(data)[i] = double{values[i]};
    if (dtype == DType::kFp16) reinterpret_cast<uint16_t*>(data)[i] = FloatToHalf(values[i]);
    if (dtype == DType::kBf16) reinterpret_cast<uint16_t*>(data)[i] = FloatToBfloat16(values[i]);
  }
  return result;
}

DType TypeNamed(const std::string& torch_name) {
  if (torch_name == "float64") return DType::kFp64;
  if (torch_name == "float16") return DType::kFp16;
  if (torch_name == "bfloat16") return DType::kBf16;
  return DType::kFp32;
}

// Draws or fills the parameters of layer `index` in `drawn` and compares them after the cast to
// `final`.
void CheckLayer(Generator& generator, const Json& layer, const Json& params, size_t index,
                DType drawn, DType final, const std::string& network) {
  int64_t fan_in = 0;
  for (const std::string name :
       {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}) {
    const std::string key = fmt::format("{}.{}", index, name);
    if (!params.contains(key)) continue;
    const Shape shape = ShapeOf(params[key]);
    if (name == "num_batches_tracked") {
      Tensor counter = Allocate(DType::kInt64, shape);
      Fill(0.0, counter.mutable_view());
      ExpectGolden(counter, params[key], network + ' ' + key);
      continue;
    }
    Tensor tensor = Allocate(drawn, shape);
    const std::string type = layer["type"];
    if (type == "Embedding") {
      Normal(generator, 0.0, 1.0, tensor.mutable_view());
      if (layer.contains("padding_idx")) {
        const size_t row = static_cast<size_t>(shape.dim(1)) * SizeOf(drawn);
        std::memset(tensor.mutable_view().data + layer["padding_idx"].get<size_t>() * row, 0, row);
      }
    } else if (type.find("Norm") != std::string::npos) {
      Fill(name == "weight" || name == "running_var" ? 1.0 : 0.0, tensor.mutable_view());
    } else if (name == "weight") {
      fan_in = FanIn(shape);
      const double bound = KaimingUniformBound(fan_in);
      Uniform(generator, -bound, bound, tensor.mutable_view());
    } else {
      // Without its weight's shape a bias has no bound; every bias follows its weight.
      ASSERT_GT(fan_in, 0);
      const double bound = FanInUniformBound(fan_in);
      Uniform(generator, -bound, bound, tensor.mutable_view());
    }
    ExpectGolden(drawn == final ? tensor : Cast(tensor, final), params[key], network + ' ' + key);
  }
}

TEST_F(SharedGoldens, WholeNetworks) {
  ASSERT_GT(goldens_["cases"].size(), 100u);
  for (const Json& row : goldens_["cases"]) {
    const std::string network = fmt::format("{} seed {}", row["name"].get<std::string>(),
                                            static_cast<int64_t>(SeedOf(row)));
    Generator generator(SeedOf(row));
    // Eager layers draw at construction, before a cast of the module; lazy ones in the dry run.
    for (const bool lazy : {false, true}) {
      for (size_t i = 0; i < row["layers"].size(); ++i) {
        const Json& layer = row["layers"][i];
        if (layer["type"].get<std::string>().starts_with("Lazy") != lazy) continue;
        const DType own = TypeNamed(layer.value("dtype", "float32"));
        const DType final = row.contains("to") ? TypeNamed(row["to"]) : own;
        CheckLayer(generator, layer, row["params"], i, lazy ? final : own, final, network);
      }
    }
    EXPECT_EQ(generator.words(), row["words"].get<uint64_t>()) << network;
    EXPECT_EQ(NextOf(generator), row["next_f32"]) << network;
  }
}

template <typename T>
Json HexOfAll(const Tensor& tensor) {
  Json all = Json::array();
  for (const T value : tensor.values<T>()) all.push_back(HexOf(value));
  return all;
}

Tensor UniformFrom42(DType dtype, double lo, double hi) {
  Generator generator(42);
  Tensor tensor = Allocate(dtype, Shape{4});
  Uniform(generator, lo, hi, tensor.mutable_view());
  return tensor;
}

Tensor NormalFrom42(DType dtype, int64_t size) {
  Generator generator(42);
  Tensor tensor = Allocate(dtype, Shape{size});
  Normal(generator, 0.0, 1.0, tensor.mutable_view());
  return tensor;
}

TEST_F(SharedGoldens, Primitives) {
  const Json& primitives = goldens_["primitives"]["avx2"];
  for (const uint64_t seed : {0, 42, 5489}) {
    Generator generator(seed);
    std::vector<uint32_t> words(628);
    generator.Fill(words);
    const std::vector<uint32_t> first(words.begin(), words.begin() + 8);
    const std::vector<uint32_t> across(words.begin() + 620, words.end());
    EXPECT_EQ(Json(first), primitives[fmt::format("mt19937_first8_seed{}", seed)]);
    EXPECT_EQ(Json(across), primitives[fmt::format("mt19937_words_620_to_627_seed{}", seed)]);
  }
  EXPECT_EQ(HexOfAll<float>(UniformFrom42(DType::kFp32, 0, 1)), primitives["unit_f32_seed42"]);
  EXPECT_EQ(HexOfAll<double>(UniformFrom42(DType::kFp64, 0, 1)), primitives["unit_f64_seed42"]);
  const double bound = KaimingUniformBound(10);
  EXPECT_EQ(HexOfAll<float>(UniformFrom42(DType::kFp32, -bound, bound)),
            primitives["uniform_f32_seed42_bound_fan10"]);
  for (const int64_t size : {15, 16, 17}) {
    EXPECT_EQ(HexOfAll<float>(NormalFrom42(DType::kFp32, size)),
              primitives[fmt::format("normal_f32_n{}_seed42", size)]);
  }
  EXPECT_EQ(HexOfAll<double>(NormalFrom42(DType::kFp64, 17)), primitives["normal_f64_n17_seed42"]);

  const std::array<int64_t, 5> fan_ins = {1, 3, 10, 27, 784};
  for (size_t i = 0; i < fan_ins.size(); ++i) {
    EXPECT_EQ(KaimingUniformBound(fan_ins[i]),
              std::stod(primitives["kaiming_bound_fan_1_3_10_27_784"][i].get<std::string>()));
    EXPECT_EQ(FanInUniformBound(fan_ins[i]),
              std::stod(primitives["bias_bound_fan_1_3_10_27_784"][i].get<std::string>()));
  }
}

}  // namespace
}  // namespace lazynet::init
