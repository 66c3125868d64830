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

constexpr size_t kAny = size_t{1} << 30;

std::shared_ptr<const Plan> Find(PlanCache::Part& part, int64_t batch) {
  const Shape shape{batch, 3};
  return part.Find({&shape, 1});
}

TEST(PlanCache, FindsPlansByShapeAndThreads) {
  PlanCache cache(kAny);
  PlanCache::Part part(cache, 4);
  const auto plan = PlanFor(2);
  EXPECT_EQ(Find(part, 2), nullptr);
  part.Insert(plan);
  EXPECT_EQ(Find(part, 2), plan);
  EXPECT_EQ(Find(part, 3), nullptr);
  EXPECT_EQ(part.Find(std::vector{Shape{2, 3}}, 2), nullptr);
}

TEST(PlanCache, DropsThePartsLeastRecentlyUsed) {
  PlanCache cache(kAny);
  PlanCache::Part other(cache, 2);
  PlanCache::Part part(cache, 2);
  other.Insert(PlanFor(1));
  part.Insert(PlanFor(1));
  part.Insert(PlanFor(2));
  Find(part, 1);
  part.Insert(PlanFor(3));
  EXPECT_NE(Find(part, 1), nullptr);
  EXPECT_EQ(Find(part, 2), nullptr);
  EXPECT_NE(Find(part, 3), nullptr);
  EXPECT_EQ(part.size(), 2u);
  EXPECT_NE(Find(other, 1), nullptr);
}

TEST(PlanCache, EvictsThePartsOldestPlanThatNobodyRuns) {
  PlanCache cache(kAny);
  PlanCache::Part other(cache, 4);
  other.Insert(PlanFor(1));
  PlanCache::Part part(cache, 4);
  const auto running = PlanFor(1);
  part.Insert(running);
  for (int64_t batch = 2; batch <= 3; ++batch) part.Insert(PlanFor(batch));
  Find(part, 2);
  EXPECT_EQ(part.EvictIdle(), 1u);
  EXPECT_EQ(Find(part, 3), nullptr);
  EXPECT_EQ(part.EvictIdle(), 1u);
  EXPECT_EQ(part.EvictIdle(), 0u);
  EXPECT_EQ(Find(part, 1), running);
  EXPECT_EQ(other.size(), 1u);
}

TEST(PlanCache, EvictsWhatWasNotUsedSinceItLastLooked) {
  PlanCache cache(kAny);
  PlanCache::Part part(cache, 4);
  for (int64_t batch = 1; batch <= 3; ++batch) part.Insert(PlanFor(batch));
  EXPECT_EQ(part.EvictUnused(), 0u) << "they are new";
  Find(part, 2);
  EXPECT_EQ(part.EvictUnused(), 2u);
  EXPECT_NE(Find(part, 2), nullptr);
}

TEST(PlanCache, TellsHowOftenPlansWereFound) {
  PlanCache cache(kAny);
  PlanCache::Part part(cache, 4);
  const auto plan = PlanFor(2);
  part.Insert(plan);
  for (int i = 0; i < 3; ++i) Find(part, 2);
  using Uses = std::vector<std::pair<std::shared_ptr<const Plan>, uint64_t>>;
  EXPECT_EQ(part.TakeUses(), (Uses{{plan, 3}}));
  EXPECT_EQ(part.TakeUses(), (Uses{{plan, 0}}));
}

TEST(PlanCache, KeepsOnePlanForAShape) {
  PlanCache cache(kAny);
  PlanCache::Part part(cache, 2);
  part.Insert(PlanFor(1));
  const auto newer = PlanFor(1);
  part.Insert(newer);
  EXPECT_EQ(part.size(), 1u);
  EXPECT_EQ(Find(part, 1), newer);
  EXPECT_EQ(cache.bytes(), newer->bytes());
}

TEST(PlanCache, KeepsAllPartsWithinItsBytes) {
  const size_t bytes = PlanFor(1)->bytes();
  PlanCache cache(3 * bytes);
  PlanCache::Part a(cache, 100);
  PlanCache::Part b(cache, 100);
  for (int64_t batch = 1; batch <= 3; ++batch) a.Insert(PlanFor(batch));
  Find(a, 1);
  EXPECT_EQ(cache.size(), 3u);
  b.Insert(PlanFor(1));
  EXPECT_EQ(a.size(), 2u);
  EXPECT_EQ(Find(a, 2), nullptr);
  for (int64_t batch = 2; batch <= 9; ++batch) b.Insert(PlanFor(batch));
  EXPECT_EQ(a.size(), 0u);
  EXPECT_EQ(b.size(), 3u);
  EXPECT_EQ(cache.bytes(), b.bytes());
  EXPECT_LE(cache.bytes(), 3 * bytes);
}

TEST(PlanCache, KeepsAPlanThatIsTooLarge) {
  PlanCache cache(1);
  PlanCache::Part part(cache, 100);
  part.Insert(PlanFor(1));
  EXPECT_NE(Find(part, 1), nullptr);
  part.Insert(PlanFor(2));
  EXPECT_EQ(Find(part, 1), nullptr);
  EXPECT_NE(Find(part, 2), nullptr);
}

TEST(PlanCache, ForgetsAPartThatGoes) {
  PlanCache cache(kAny);
  {
    PlanCache::Part part(cache, 4);
    part.Insert(PlanFor(1));
    part.Insert(PlanFor(2));
    EXPECT_EQ(cache.size(), 2u);
  }
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(PlanCache, TellsWhatChanged) {
  PlanCache cache(kAny);
  int entries = 0;
  int evictions = 0;
  int64_t bytes = 0;
  {
    PlanCache::Part part(cache, 2, [&](const PlanCache::Part::Change& change) {
      entries += change.entries;
      bytes += change.bytes;
      evictions += change.age_at_eviction ? 1 : 0;
    });
    for (const int64_t batch : {1, 2, 2, 3}) part.Insert(PlanFor(batch));
    EXPECT_EQ(entries, 2);
    EXPECT_EQ(bytes, static_cast<int64_t>(part.bytes()));
    EXPECT_EQ(evictions, 1);
  }
  EXPECT_EQ(entries, 0);
  EXPECT_EQ(bytes, 0);
  EXPECT_EQ(evictions, 1);
}

// Groups of 1 serve batches of all sizes.
TEST(PlanCache, CountsAProgramThatPlansShareOnce) {
  const auto network = testing::NetworkOf(testing::LazyMlp());
  const auto backend = backend::MakeReferenceBackend();
  SharedParts shared;
  const Shape first{2, 3};
  const auto set =
      *nn::Materialize(*network, nn::ParameterSet::Declared(*network), {&first, 1}, {});
  PlanCache cache(kAny);
  PlanCache::Part part(cache, 4);
  size_t own_bytes = 0;
  const Program* program = nullptr;
  for (int64_t batch = 2; batch <= 4; ++batch) {
    const Shape shape{batch, 3};
    const auto plan = *Plan::Build(*network, set, {&shape, 1}, *backend, shared, {.group_size = 1});
    ASSERT_EQ(plan->parts().size(), 1u);
    ASSERT_TRUE(program == nullptr || program == plan->parts()[0].program.get());
    program = plan->parts()[0].program.get();
    own_bytes += plan->own_bytes();
    part.Insert(plan);
  }
  EXPECT_EQ(part.bytes(), own_bytes + program->bytes());
}

}  // namespace
}  // namespace lazynet::plan
