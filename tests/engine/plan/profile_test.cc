#include "engine/plan/profile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/backend/reference/reference_backend.h"
#include "tests/support/definitions.h"

namespace lazynet::plan {
namespace {

using testing::Arg;
using testing::DefinitionOf;
using testing::LayerOf;
using testing::LazyMlp;
using testing::NetworkOf;

std::shared_ptr<const Plan> PlanFor(const nn::Network& network, const Shape& shape) {
  static const auto& backend = *backend::MakeReferenceBackend().release();
  const auto set = nn::Materialize(network, nn::ParameterSet::Declared(network), {&shape, 1}, {});
  LAZYNET_CHECK(set.ok());
  SharedParts shared;
  auto plan = Plan::Build(network, *set, {&shape, 1}, backend, shared);
  LAZYNET_CHECK(plan.ok());
  return *plan;
}

std::shared_ptr<const nn::Network> Embedding() {
  nn::NetworkDefinition definition = DefinitionOf(
      {LayerOf("words", "Embedding", {Arg("num_embeddings", 4), Arg("embedding_dim", 2)})});
  definition.inputs = {{.name = "ids", .dtype = DType::kInt64}};
  return NetworkOf(definition);
}

TEST(MakeInputs, FloatsAreUniformAndAlwaysTheSame) {
  const auto plan = PlanFor(*NetworkOf(LazyMlp()), {100, 10});
  const auto first = MakeInputs(*plan);
  const auto second = MakeInputs(*plan);
  ASSERT_TRUE(first.ok());
  const auto a = (*first)[0].values<float>();
  const auto b = (*second)[0].values<float>();
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
  const auto [least, largest] = std::minmax_element(a.begin(), a.end());
  EXPECT_GE(*least, 0);
  EXPECT_LT(*least, 0.1f);
  EXPECT_GT(*largest, 0.9f);
  EXPECT_LT(*largest, 1);
}

TEST(MakeInputs, IdsAre0) {
  const auto network = Embedding();
  const auto plan = PlanFor(*network, {3});
  const auto inputs = MakeInputs(*plan);
  ASSERT_TRUE(inputs.ok());
  const auto ids = (*inputs)[0].values<int64_t>();
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 0), 3);
  EXPECT_TRUE(MeasureSteps(*plan, *inputs, {}).ok());
}

TEST(MeasureSteps, RunsAsOftenAsAskedAndOnceToWarmUp) {
  const auto plan = PlanFor(*NetworkOf(LazyMlp()), {2, 10});
  const auto inputs = MakeInputs(*plan);
  int asked = 0;
  const auto times = MeasureSteps(*plan, *inputs, {.runs = 3, .cancelled = [&] {
                                                     ++asked;
                                                     return false;
                                                   }});
  ASSERT_TRUE(times.ok()) << times.status();
  EXPECT_EQ(times->runs, 3);
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(times->steps.size(), plan->step_count());
}

TEST(MeasureSteps, RunsOnceWhenThereIsNoTime) {
  const auto plan = PlanFor(*NetworkOf(LazyMlp()), {2, 10});
  const auto inputs = MakeInputs(*plan);
  const auto times =
      MeasureSteps(*plan, *inputs, {.runs = 1000, .time = std::chrono::nanoseconds(0)});
  ASSERT_TRUE(times.ok());
  EXPECT_EQ(times->runs, 1);
}

TEST(MeasureSteps, EndsWhenItIsCancelled) {
  const auto plan = PlanFor(*NetworkOf(LazyMlp()), {2, 10});
  const auto inputs = MakeInputs(*plan);
  int asked = 0;
  const auto times =
      MeasureSteps(*plan, *inputs, {.runs = 1000, .cancelled = [&] { return ++asked > 3; }});
  EXPECT_EQ(times.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(asked, 4);
}

}  // namespace
}  // namespace lazynet::plan
