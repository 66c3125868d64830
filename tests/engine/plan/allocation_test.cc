#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/threads.h"
#include "engine/plan/plan.h"
#include "engine/plan/plan_cache.h"
#include "tests/support/counted_allocations.h"
#include "tests/support/definitions.h"
#include "tests/support/run_op.h"

namespace lazynet::plan {
namespace {

using testing::Arg;
using testing::LayerOf;
using testing::PerAxis;

struct Case {
  std::string name;
  std::vector<nn::LayerDefinition> layers;
  Shape input;
  PlanOptions options;
};

nn::LayerDefinition Convolution(std::string name, std::vector<std::string> inputs = {}) {
  return LayerOf(std::move(name), "Conv2d",
                 {Arg("out_channels", 16), PerAxis("kernel_size", {3}), PerAxis("padding", {1})},
                 std::move(inputs));
}

std::vector<nn::LayerDefinition> ResidualCnn() {
  return {Convolution("conv1"),
          LayerOf("bn1", "BatchNorm2d"),
          LayerOf("relu1", "ReLU"),
          Convolution("conv2"),
          LayerOf("add", "Add", {}, {"conv2", "relu1"}),
          LayerOf("silu", "SiLU"),
          LayerOf("pool", "MaxPool2d", {PerAxis("kernel_size", {2})}),
          LayerOf("mean", "AdaptiveAvgPool2d", {PerAxis("output_size", {1, 1})}),
          LayerOf("flat", "Flatten"),
          LayerOf("fc", "Linear", {Arg("out_features", 10)}),
          LayerOf("softmax", "Softmax", {Arg("dim", 1)})};
}

std::vector<Case> Cases() {
  const std::vector<nn::LayerDefinition> encoder = {
      LayerOf("encoder", "TransformerEncoderLayer",
              {Arg("d_model", 32), Arg("nhead", 4), Arg("dim_feedforward", 64),
               Arg("activation", "gelu"), Arg("batch_first", true)})};
  const std::vector<nn::LayerDefinition> lstm = {
      LayerOf("lstm", "LSTM", {Arg("hidden_size", 16), Arg("num_layers", 2)})};
  return {{"Cnn", ResidualCnn(), {1, 3, 32, 32}, {}},
          {"CnnInGroups", ResidualCnn(), {8, 3, 32, 32}, {.group_size = 2}},
          {"CnnOnTwoThreads", ResidualCnn(), {8, 3, 96, 96}, {.threads = 2, .group_size = 2}},
          {"Encoder", encoder, {2, 7, 32}, {}},
          {"Lstm", lstm, {5, 3, 8}, {}}};
}

class PlanAllocation : public ::testing::TestWithParam<Case> {};

TEST_P(PlanAllocation, ARunAllocatesNothing) {
  const auto network = testing::NetworkOf(testing::DefinitionOf(GetParam().layers));
  const std::vector<Shape> shapes = {GetParam().input};
  const auto set = nn::Materialize(*network, nn::ParameterSet::Declared(*network), shapes, {});
  ASSERT_TRUE(set.ok()) << set.status();
  const auto backend = backend::MakeOnednnBackend(backend::MakeReferenceBackend());
  SharedParts shared;
  const auto built = Plan::Build(*network, *set, shapes, *backend, shared, GetParam().options);
  ASSERT_TRUE(built.ok()) << built.status();
  const Plan& plan = **built;
  EXPECT_EQ(plan.threads(), GetParam().options.threads);

  backend::SetKernelThreads(1);
  const Tensor input = testing::Noise(shapes[0], 1);
  const std::vector<TensorView> inputs = {input.view()};
  std::vector<Tensor> outputs = *plan.AllocateOutputs();
  std::vector<MutableTensorView> views;
  for (Tensor& output : outputs) views.push_back(output.mutable_view());
  Workspace workspace;
  // The first run makes room in the workspace, and may start threads. Of several threads each makes
  // what it needs for a kernel when both run it at the same time for the first time.
  const int warm_ups = GetParam().options.threads == 1 ? 1 : 1000;
  size_t made = 1;
  for (int run = 0; run <= warm_ups && made > 0; ++run) {
    const size_t before = testing::Allocations();
    const absl::Status status = plan.Run(inputs, views, workspace);
    made = testing::Allocations() - before;
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(made, 0u);
}

TEST(PlanCacheAllocation, FindingAPlanAllocatesNothing) {
  const auto network = testing::NetworkOf(testing::LazyMlp());
  const std::vector<Shape> shapes = {{2, 3}};
  const auto set = nn::Materialize(*network, nn::ParameterSet::Declared(*network), shapes, {});
  const auto backend = backend::MakeReferenceBackend();
  SharedParts shared;
  PlanCache cache(size_t{1} << 30);
  PlanCache::Part part(cache, 4);
  part.Insert(*Plan::Build(*network, *set, shapes, *backend, shared));
  const size_t before = testing::Allocations();
  const auto found = part.Find(shapes);
  const auto absent = part.Find(shapes, 2);
  EXPECT_EQ(testing::Allocations(), before);
  EXPECT_NE(found, nullptr);
  EXPECT_EQ(absent, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Networks, PlanAllocation, ::testing::ValuesIn(Cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace lazynet::plan
