// Plans of networks that ask for BF16, on what the machine has and with DNNL_MAX_CPU_ISA at less.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/threads.h"
#include "engine/plan/plan.h"
#include "tests/support/definitions.h"
#include "tests/support/run_network.h"
#include "tests/support/run_op.h"

namespace lazynet::plan {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::LazyMlp;
using testing::NetworkOf;
using testing::Noise;
using testing::PerAxis;
using testing::RunNetwork;
using testing::RunPlan;

const backend::Backend& Onednn() {
  static const auto onednn = backend::MakeOnednnBackend(backend::MakeReferenceBackend());
  return *onednn;
}

class Bf16Plan : public ::testing::Test {
 protected:
  void SetUp() override { backend::SetKernelThreads(1); }
};

// Whether this CPU, as far as oneDNN may use it, has the instructions.
bool ComputesBf16() {
  backend::Graph graph;
  const auto src = graph.AddInput(DType::kFp32, {2, 3});
  const auto weights = graph.AddConstant(DType::kFp32, {4, 3}, {.key = "w", .make = nullptr});
  graph.AddOp(backend::InnerProduct{}, {src, weights, backend::kNoValue}, {2, 4}, "fc");
  return Onednn().ComputesIn(DType::kBf16, graph, graph.ops.back());
}

struct Built {
  std::shared_ptr<const nn::Network> network;
  nn::ParameterSet set;
};

Built Materialized(nn::NetworkDefinition definition, const Shape& shape, bool bf16) {
  definition.compute_dtype = bf16 ? DType::kBf16 : DType::kFp32;
  const auto network = NetworkOf(std::move(definition));
  auto set = nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&shape, 1}, {});
  LAZYNET_CHECK(set.ok());
  return {network, *std::move(set)};
}

nn::LayerDefinition Conv(std::string name, int channels, int stride, std::string input) {
  return LayerOf(std::move(name), "Conv2d",
                 {Arg("out_channels", channels), PerAxis("kernel_size", {3}),
                  PerAxis("padding", {1}), PerAxis("stride", {stride})},
                 {std::move(input)});
}

// A stem, two blocks with residuals, the second with a convolution on its way around, and a head.
nn::NetworkDefinition ResidualCnn() {
  return DefinitionOf(
      {Conv("stem", 24, 1, "input"), LayerOf("bn", "BatchNorm2d"), LayerOf("relu", "ReLU"),
       LayerOf("max", "MaxPool2d", {PerAxis("kernel_size", {2})}), Conv("a1", 24, 1, "max"),
       LayerOf("a1r", "ReLU"), Conv("a2", 24, 1, "a1r"), LayerOf("a", "Add", {}, {"a2", "max"}),
       LayerOf("ar", "ReLU"), Conv("b1", 32, 2, "ar"), LayerOf("b1s", "SiLU"),
       Conv("b2", 32, 1, "b1s"), Conv("way", 32, 2, "ar"), LayerOf("b", "Add", {}, {"b2", "way"}),
       LayerOf("br", "ReLU"), LayerOf("mean", "AdaptiveAvgPool2d", {PerAxis("output_size", {1})}),
       LayerOf("flat", "Flatten"), LayerOf("fc", "Linear", {Arg("out_features", 10)})});
}

nn::NetworkDefinition Encoder() {
  return DefinitionOf({LayerOf("layer", "TransformerEncoderLayer",
                               {Arg("nhead", 4), Arg("dim_feedforward", 96),
                                Arg("batch_first", true), Arg("activation", "gelu")}),
                       LayerOf("layer2", "TransformerEncoderLayer",
                               {Arg("nhead", 4), Arg("dim_feedforward", 96),
                                Arg("batch_first", true), Arg("norm_first", true)})});
}

std::pair<std::string, nn::AttributeValue> Factor(double factor) {
  return {"scale_factor", std::vector<double>{factor}};
}

// Layers that have no BF16 kernels among others that have.
nn::NetworkDefinition Mixed() {
  return DefinitionOf({Conv("conv", 12, 1, "input"),
                       LayerOf("prelu", "PReLU", {Arg("num_parameters", 12)}),
                       LayerOf("up", "Upsample", {Factor(2), Arg("mode", "nearest")}),
                       Conv("conv2", 8, 1, "up"), LayerOf("norm", "InstanceNorm2d"),
                       Conv("conv3", 8, 2, "norm"), LayerOf("soft", "Softmax", {Arg("dim", 1)})});
}

struct NetworkCase {
  std::string name;
  nn::NetworkDefinition definition;
  Shape shape;
};

std::vector<NetworkCase> Networks() {
  return {{"residual cnn", ResidualCnn(), {3, 3, 16, 16}},
          {"encoder", Encoder(), {3, 5, 32}},
          {"mixed", Mixed(), {2, 3, 6, 7}},
          {"mlp", LazyMlp(), {5, 7}}};
}

float LargestOf(const Tensor& tensor) {
  float largest = 0;
  for (const float value : tensor.values<float>()) largest = std::max(largest, std::abs(value));
  return largest;
}

TEST_F(Bf16Plan, OutputsAreThoseOfFp32AsFarAsBf16Goes) {
  for (const NetworkCase& one : Networks()) {
    SCOPED_TRACE(one.name);
    const Tensor input = Noise(one.shape, 3);
    const Built fp32 = Materialized(one.definition, one.shape, false);
    const Built bf16 = Materialized(one.definition, one.shape, true);
    const auto wanted = RunNetwork(*fp32.network, fp32.set, {input}, Onednn());
    const auto got = RunNetwork(*bf16.network, bf16.set, {input}, Onednn());
    ASSERT_TRUE(wanted.ok() && got.ok()) << wanted.status() << got.status();
    ASSERT_EQ((*got)[0].dtype(), DType::kFp32);
    const auto a = (*got)[0].values<float>();
    const auto b = (*wanted)[0].values<float>();
    const float largest = LargestOf((*wanted)[0]);
    bool differs = false;
    // Each of some ten values in a row is rounded to 2^-9 of itself; so are weights. Errors of
    // different signs make up for each other, so that a few 2^-9 of the largest are left.
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], 0x1p-6f * largest) << "element " << i;
      differs |= a[i] != b[i];
    }
    // That it is BF16 shows, and where it is not, it is FP32 to the bit.
    EXPECT_EQ(differs, ComputesBf16());
  }
}

TEST_F(Bf16Plan, SaysWhatItComputesIn) {
  for (const bool asked : {false, true}) {
    const Shape shape{2, 7};
    const Built built = Materialized(LazyMlp(), shape, asked);
    SharedParts shared;
    const auto plan = Plan::Build(*built.network, built.set, {&shape, 1}, Onednn(), shared);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ((*plan)->compute_dtype(), asked && ComputesBf16() ? DType::kBf16 : DType::kFp32);
    const auto reference = backend::MakeReferenceBackend();
    SharedParts other;
    const auto plain = Plan::Build(*built.network, built.set, {&shape, 1}, *reference, other);
    EXPECT_EQ((*plain)->compute_dtype(), DType::kFp32);
  }
}

TEST_F(Bf16Plan, AChainIsCastAtItsBordersOnly) {
  if (!ComputesBf16()) GTEST_SKIP() << "no BF16 here";
  for (const auto& [definition, shape] :
       {std::pair{ResidualCnn(), Shape{1, 3, 16, 16}}, {Encoder(), Shape{1, 5, 32}}}) {
    const Built built = Materialized(definition, shape, true);
    SharedParts shared;
    PlanDescription description;
    const auto plan =
        Plan::Build(*built.network, built.set, {&shape, 1}, Onednn(), shared, {}, &description);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const auto& steps = description.steps;
    ASSERT_EQ(steps.size(), (*plan)->step_count());
    const auto casts = std::count_if(steps.begin(), steps.end(), [](const StepInfo& step) {
      return step.op == "cast" || step.implementation.ends_with("+widened");
    });
    EXPECT_LE(casts, definition.layers.size() == 2 ? 2 : 1);
  }
}

TEST_F(Bf16Plan, AnItemHasTheSameBitsAloneAndInABatch) {
  const Shape shape{5, 3, 16, 16};
  const Built built = Materialized(ResidualCnn(), shape, true);
  const Tensor input = Noise(shape, 7);
  const auto batch = RunNetwork(*built.network, built.set, {input}, Onednn(), {.group_size = 1});
  ASSERT_TRUE(batch.ok()) << batch.status();
  const auto all = (*batch)[0].values<float>();
  for (size_t i = 0; i < 5; ++i) {
    const Tensor item = Tensor::Wrap(DType::kFp32, {1, 3, 16, 16}, std::make_shared<Tensor>(input),
                                     input.data() + i * input.bytes() / 5);
    const auto alone = RunNetwork(*built.network, built.set, {item}, Onednn());
    ASSERT_TRUE(alone.ok());
    const auto wanted = (*alone)[0].values<float>();
    EXPECT_TRUE(
        std::equal(wanted.begin(), wanted.end(), all.begin() + static_cast<ptrdiff_t>(i) * 10));
  }
}

// Of one definition, in case somebody shares packed weights and programs among networks.
TEST_F(Bf16Plan, SharesNeitherProgramsNorPackedWeightsWithFp32) {
  const Shape shape{2, 7};
  const Built fp32 = Materialized(LazyMlp(), shape, false);
  const Built bf16 = Materialized(LazyMlp(), shape, true);
  const Tensor input = Noise(shape, 3);
  const auto run = [&](const Built& built, SharedParts& shared) {
    const auto plan = Plan::Build(*built.network, fp32.set, {&shape, 1}, Onednn(), shared);
    const auto outputs = RunPlan(**plan, {input});
    const auto values = (*outputs)[0].values<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  SharedParts one, other, both;
  const auto wanted = run(fp32, one);
  const auto rounded = run(bf16, other);
  EXPECT_EQ(run(fp32, both), wanted);
  EXPECT_EQ(run(bf16, both), rounded);
  EXPECT_EQ(run(fp32, both), wanted);
}

// What is NaN or infinite is so in BF16 too, whatever is fused: as in FP32 by a second, careful
// run.
TEST_F(Bf16Plan, KeepsNanAndInfinity) {
  const Shape shape{1, 3, 16, 16};
  const Built fp32 = Materialized(ResidualCnn(), shape, false);
  const Built bf16 = Materialized(ResidualCnn(), shape, true);
  for (const float special :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Tensor input = Noise(shape, 3);
    input.mutable_view().values<float>()[100] = special;
    const auto wanted = RunNetwork(*fp32.network, fp32.set, {input}, Onednn());
    const auto got = RunNetwork(*bf16.network, bf16.set, {input}, Onednn());
    ASSERT_TRUE(wanted.ok() && got.ok()) << wanted.status() << got.status();
    const auto a = (*got)[0].values<float>();
    const auto b = (*wanted)[0].values<float>();
    ASSERT_TRUE(std::isnan(b[0]));
    for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(std::isnan(a[i]), std::isnan(b[i])) << i;
  }
}

TEST_F(Bf16Plan, TakesEmptyBatches) {
  const Shape shape{0, 7};
  const Built built = Materialized(LazyMlp(), {1, 7}, true);
  absl::StatusOr<Tensor> input = Tensor::Allocate(DType::kFp32, shape);
  const auto got = RunNetwork(*built.network, built.set, {*input}, Onednn());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ((*got)[0].shape(), (Shape{0, 1}));
}

}  // namespace
}  // namespace lazynet::plan
