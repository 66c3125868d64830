#include "engine/plan/description.h"

#include <gtest/gtest.h>

#include "engine/backend/onednn/onednn_backend.h"
#include "engine/backend/reference/reference_backend.h"
#include "engine/backend/threads.h"
#include "engine/plan/lowering.h"
#include "engine/plan/plan.h"
#include "tests/support/definitions.h"

namespace lazynet::plan {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::NetworkOf;
using testing::PerAxis;
using Source = ValueInfo::Source;

std::shared_ptr<const nn::Network> SmallNetwork() {
  return NetworkOf(DefinitionOf(
      {LayerOf("conv", "Conv2d", {Arg("out_channels", 2), PerAxis("kernel_size", {1})}),
       LayerOf("act", "ReLU"), LayerOf("flat", "Flatten"),
       LayerOf("fc", "Linear", {Arg("out_features", 5)})}));
}

// A residual block on channels that kernels lay out in their own ways.
std::shared_ptr<const nn::Network> ResidualNetwork() {
  const auto conv = [](std::string name, std::string input) {
    return LayerOf(std::move(name), "Conv2d",
                   {Arg("out_channels", 32), PerAxis("kernel_size", {3}), PerAxis("padding", {1})},
                   {std::move(input)});
  };
  return NetworkOf(DefinitionOf({conv("a", "input"), conv("b", "a"), conv("c", "b"),
                                 LayerOf("sum", "Add", {}, {"c", "a"}), LayerOf("act", "ReLU"),
                                 conv("d", "act")}));
}

struct Described {
  std::shared_ptr<const Plan> plan;
  PlanDescription description;
};

class DescriptionTest : public ::testing::Test {
 protected:
  Described Describe(const nn::Network& network, const Shape& shape,
                     const backend::Backend& backend, const PlanOptions& options = {}) {
    backend::SetKernelThreads(1);
    const auto set = nn::Materialize(network, nn::ParameterSet::Declared(network), {&shape, 1}, {});
    LAZYNET_CHECK(set.ok());
    parameters_ = *set;
    Described described;
    const auto plan = Plan::Build(network, *parameters_, {&shape, 1}, backend, shared_, options,
                                  &described.description);
    LAZYNET_CHECK(plan.ok());
    described.plan = *plan;
    return described;
  }

  std::optional<nn::ParameterSet> parameters_;
  SharedParts shared_;
  const std::unique_ptr<backend::Backend> reference_ = backend::MakeReferenceBackend();
  const std::unique_ptr<backend::Backend> onednn_ =
      backend::MakeOnednnBackend(backend::MakeReferenceBackend());
};

TEST_F(DescriptionTest, CountsBytesAndFlopsOfEveryStep) {
  const auto network = SmallNetwork();
  const auto [plan, description] = Describe(*network, {1, 3, 2, 2}, *reference_);
  ASSERT_EQ(description.steps.size(), 3u);
  EXPECT_EQ(plan->step_count(), 3u);

  const StepInfo& conv = description.steps[0];
  EXPECT_EQ(conv.layer, "conv");
  EXPECT_EQ(conv.op, "convolution");
  EXPECT_EQ(conv.implementation, "reference");
  EXPECT_EQ(conv.threads, 1);
  EXPECT_EQ(BytesRead(conv), 12u * 4 + 6 * 4 + 2 * 4);
  EXPECT_EQ(BytesOfWeights(conv), 6u * 4 + 2 * 4);
  EXPECT_EQ(BytesWritten(conv), 8u * 4);
  EXPECT_EQ(conv.flops, 2 * 8 * 3);
  EXPECT_GT(conv.estimated_microseconds, 0);

  EXPECT_EQ(description.steps[1].op, "relu");
  EXPECT_EQ(description.steps[1].flops, 8);

  const StepInfo& fc = description.steps[2];
  EXPECT_EQ(fc.op, "inner_product");
  EXPECT_EQ(BytesRead(fc), 8u * 4 + 40 * 4 + 5 * 4);
  EXPECT_EQ(BytesWritten(fc), 5u * 4);
  EXPECT_EQ(fc.flops, 2 * 5 * 8);
}

TEST_F(DescriptionTest, SaysWhereEveryValueComesFrom) {
  const auto network = SmallNetwork();
  const PlanDescription description = Describe(*network, {1, 3, 2, 2}, *reference_).description;
  const StepInfo& conv = description.steps[0];
  ASSERT_EQ(conv.inputs.size(), 3u);
  EXPECT_EQ(conv.inputs[0].source, Source::kInput);
  EXPECT_EQ(conv.inputs[0].index, 0);
  EXPECT_EQ(conv.inputs[0].layout, "dense");
  EXPECT_EQ(conv.inputs[1].source, Source::kConstant);
  EXPECT_EQ(conv.inputs[1].constant, "conv.weight");
  EXPECT_EQ(conv.inputs[1].layout, "");
  EXPECT_EQ(conv.output->source, Source::kStep);
  EXPECT_EQ(conv.output->index, 0);
  // Flatten is a view of what the activation wrote.
  const ValueInfo& flat = description.steps[2].inputs[0];
  EXPECT_EQ(flat.source, Source::kStep);
  EXPECT_EQ(flat.index, 1);
  EXPECT_EQ(flat.shape, (Shape{1, 8}));
  ASSERT_EQ(description.outputs.size(), 1u);
  EXPECT_EQ(description.outputs[0].index, 2);
  EXPECT_EQ(description.outputs[0].shape, (Shape{1, 5}));
}

TEST_F(DescriptionTest, NamesWhatIsFusedAndTheLayoutsBetween) {
  const auto network = ResidualNetwork();
  const auto [plan, description] = Describe(*network, {1, 32, 14, 14}, *onednn_);
  EXPECT_EQ(plan->step_count(), description.steps.size());
  const StepInfo* fused = nullptr;
  size_t checked = 0;
  for (size_t i = 0; i < description.steps.size(); ++i) {
    const StepInfo& step = description.steps[i];
    if (step.layer == "c") fused = &step;
    if (step.op != "range_check") {
      EXPECT_NE(step.implementation, "") << step.op;
      ASSERT_TRUE(step.output.has_value()) << step.op;
      EXPECT_EQ(step.output->index, static_cast<int>(i));
    } else {
      EXPECT_FALSE(step.output.has_value());
    }
    for (const ValueInfo& input : step.inputs) {
      if (input.source != Source::kStep) continue;
      ASSERT_LT(input.index, static_cast<int>(i));
      const StepInfo& writer = description.steps[static_cast<size_t>(input.index)];
      EXPECT_EQ(input.layout, writer.output->layout) << step.op << " of " << step.layer;
      EXPECT_EQ(input.bytes, writer.output->bytes);
      ++checked;
    }
  }
  EXPECT_GE(checked, 4u);
  ASSERT_NE(fused, nullptr);
  EXPECT_EQ(fused->op, "convolution");
  EXPECT_EQ(fused->fused, (std::vector<std::string>{"add", "relu"}));
  // The residual is read, too: src, weights, bias and what is added.
  EXPECT_EQ(fused->inputs.size(), 4u);
  const double elements = 32 * 14 * 14;
  EXPECT_EQ(fused->flops, 2 * elements * 32 * 9 + 2 * elements);
  EXPECT_EQ(description.outputs[0].layout, "dense");
}

TEST_F(DescriptionTest, IsOfOneGroupOfItems) {
  const auto network = ResidualNetwork();
  const auto [plan, description] = Describe(*network, {4, 32, 14, 14}, *onednn_, {.group_size = 1});
  ASSERT_EQ(plan->groups(), 4);
  EXPECT_EQ(description.steps.back().output->shape, (Shape{1, 32, 14, 14}));
  EXPECT_EQ(plan->outputs()[0].shape, (Shape{4, 32, 14, 14}));
}

TEST_F(DescriptionTest, IsOfOneGroupOfEachSize) {
  const auto network = ResidualNetwork();
  const auto [plan, description] =
      Describe(*network, {11, 32, 14, 14}, *onednn_, {.group_size = 4});
  ASSERT_EQ(plan->parts().size(), 2u);
  ASSERT_EQ(description.steps.size(), plan->step_count());
  const size_t first = plan->parts()[0].program->step_count();
  EXPECT_EQ(description.steps[first - 1].output->shape, (Shape{4, 32, 14, 14}));
  EXPECT_EQ(description.steps.back().output->shape, (Shape{3, 32, 14, 14}));
  for (size_t i = first; i < description.steps.size(); ++i) {
    for (const ValueInfo& input : description.steps[i].inputs) {
      if (input.source == Source::kStep) {
        EXPECT_GE(input.index, static_cast<int>(first));
      }
    }
  }
}

TEST_F(DescriptionTest, ADescribedPlanRunsLikeTheOneThatServes) {
  const auto network = ResidualNetwork();
  const Shape shape{1, 32, 14, 14};
  const Described described = Describe(*network, shape, *onednn_);
  const size_t packed = shared_.packed.bytes();
  const auto served = Plan::Build(*network, *parameters_, {&shape, 1}, *onednn_, shared_);
  ASSERT_TRUE(served.ok());
  EXPECT_EQ((*served)->step_count(), described.plan->step_count());
  EXPECT_EQ((*served)->arena_bytes(), described.plan->arena_bytes());
  EXPECT_EQ((*served)->bytes(), described.plan->bytes());
  EXPECT_EQ(shared_.packed.bytes(), packed);
}

TEST_F(DescriptionTest, OfShapesAloneHasOpsWithoutKernels) {
  const auto network = SmallNetwork();
  const Shape shape{1, 3, 2, 2};
  const auto inference = network->Infer({&shape, 1}, network->DeclaredSizes());
  ASSERT_TRUE(inference.ok());
  const PlanDescription description = DescribeGraph(LowerShapes(*network, *inference));
  ASSERT_EQ(description.steps.size(), 3u);
  const StepInfo& fc = description.steps[2];
  EXPECT_EQ(fc.implementation, "");
  EXPECT_EQ(fc.threads, 0);
  EXPECT_EQ(fc.flops, 80);
  EXPECT_EQ(fc.inputs[0].index, 1);
  EXPECT_EQ(fc.inputs[1].constant, "fc.weight");
  EXPECT_EQ(fc.inputs[1].shape, (Shape{5, 8}));
  EXPECT_EQ(description.outputs[0].index, 2);
}

TEST_F(DescriptionTest, LeavesOutWhatIsEmpty) {
  const auto network = SmallNetwork();
  const Shape shape{0, 3, 2, 2};
  const auto inference = network->Infer({&shape, 1}, network->DeclaredSizes());
  ASSERT_TRUE(inference.ok());
  const PlanDescription description = DescribeGraph(LowerShapes(*network, *inference));
  EXPECT_TRUE(description.steps.empty());
  EXPECT_EQ(description.outputs[0].source, Source::kNone);
  EXPECT_EQ(description.outputs[0].bytes, 0u);
}

}  // namespace
}  // namespace lazynet::plan
