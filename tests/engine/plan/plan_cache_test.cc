#include "engine/plan/plan_cache.h"

#include <gtest/gtest.h>

#include "engine/backend/reference/reference_backend.h"
#include "tests/support/definitions.h"

namespace lazynet::plan {
namespace {

std::shared_ptr<const Plan> PlanFor(int64_t batch) {
  static const auto network = testing::NetworkOf(testing::LazyMlp());
  static const auto backend = backend::MakeReferenceBackend();
  static SharedParts shared;
  const Shape shape{batch, 3};
  const auto set =
      *nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&shape, 1}, {});
  return *Plan::Build(*network, set, {&shape, 1}, *backend, shared);
}

std::shared_ptr<const Plan> Find(PlanCache& cache, int64_t batch) {
  const Shape shape{batch, 3};
  return cache.Find({&shape, 1});
}

TEST(PlanCache, FindsPlansByShape) {
  PlanCache cache(4);
  const auto plan = PlanFor(2);
  EXPECT_EQ(Find(cache, 2), nullptr);
  EXPECT_EQ(cache.Insert(plan), 0u);
  EXPECT_EQ(Find(cache, 2), plan);
  EXPECT_EQ(Find(cache, 3), nullptr);
}

TEST(PlanCache, DropsTheLeastRecentlyUsed) {
  PlanCache cache(2);
  cache.Insert(PlanFor(1));
  cache.Insert(PlanFor(2));
  Find(cache, 1);
  EXPECT_EQ(cache.Insert(PlanFor(3)), 1u);
  EXPECT_NE(Find(cache, 1), nullptr);
  EXPECT_EQ(Find(cache, 2), nullptr);
  EXPECT_NE(Find(cache, 3), nullptr);
  EXPECT_EQ(cache.size(), 2u);
}

TEST(PlanCache, KeepsOnePlanForAShape) {
  PlanCache cache(2);
  cache.Insert(PlanFor(1));
  const auto newer = PlanFor(1);
  cache.Insert(newer);
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(Find(cache, 1), newer);
}

}  // namespace
}  // namespace lazynet::plan
