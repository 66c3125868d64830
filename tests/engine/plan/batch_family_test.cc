#include "engine/plan/batch_family.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "engine/backend/reference/reference_backend.h"
#include "engine/nn/parameter_set.h"
#include "engine/plan/plan.h"
#include "tests/support/definitions.h"

namespace lazynet::plan {
namespace {

using namespace std::chrono_literals;
using testing::Arg;
using testing::LayerOf;

TEST(BatchFamily, AnItemTakesWhatRunsOfLateTook) {
  BatchFamily family(true, 8, 500us);
  EXPECT_EQ(family.item_time(), 500us);  // estimated
  family.RecordRun(1, 1s);
  EXPECT_EQ(family.item_time(), 500us);  // the first run is none to go by
  family.RecordRun(4, 400us);
  EXPECT_EQ(family.item_time(), 400us);
  family.RecordRun(1, 2000us);
  EXPECT_EQ(family.item_time(), 500us);
}

TEST(BatchFamilies, AreKeptAsLongAsTheyAreUsed) {
  BatchFamilies families;
  const BatchFamilies::Key key{{Shape({1, 3})}, true};
  EXPECT_EQ(families.Find(key), nullptr);
  auto first = families.Insert(key, std::make_shared<BatchFamily>(true, 4, 1us));
  const auto second = families.Insert(key, std::make_shared<BatchFamily>(true, 9, 1us));
  EXPECT_EQ(second, first);
  EXPECT_EQ(families.Find(key), first);
  EXPECT_EQ(families.Find({{Shape({1, 3})}, false}), nullptr);
  first.reset();
  EXPECT_NE(families.Find(key), nullptr);
}

// Plans of one network, which share what they can.
class NetworkPlans {
 public:
  NetworkPlans(nn::NetworkDefinition definition, const Shape& first)
      : network_(testing::NetworkOf(std::move(definition))),
        parameters_(*nn::Materialize(*network_, nn::ParameterSet::Declared(*network_),
                                     std::vector<Shape>{first}, {})) {}

  std::shared_ptr<const Plan> For(const Shape& shape) {
    auto plan = Plan::Build(*network_, parameters_, std::vector<Shape>{shape}, *backend_, shared_);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *plan;
  }

 private:
  const std::unique_ptr<backend::Backend> backend_ = backend::MakeReferenceBackend();
  const std::shared_ptr<const nn::Network> network_;
  const nn::ParameterSet parameters_;
  SharedParts shared_;
};

TEST(BatchFamilies, APlanForOneItemKnowsThatItemsMayBeJoined) {
  NetworkPlans mlp(testing::LazyMlp(), Shape({1, 4}));
  const auto one = mlp.For(Shape({1, 4}));
  const auto seven = mlp.For(Shape({7, 4}));
  EXPECT_TRUE(one->family().independent());
  EXPECT_GT(one->family().group_size(), 1);
  EXPECT_EQ(&one->family(), &seven->family());
  EXPECT_EQ(one->items(), 1);
  EXPECT_EQ(seven->items(), 7);
}

TEST(BatchFamilies, ItemsOfStatisticsOverTheBatchAreNotJoined) {
  NetworkPlans norm(
      testing::DefinitionOf({LayerOf("norm", "BatchNorm2d", {Arg("track_running_stats", false)})}),
      Shape({2, 4, 3, 3}));
  const auto two = norm.For(Shape({2, 4, 3, 3}));
  const auto one = norm.For(Shape({1, 4, 3, 3}));
  EXPECT_FALSE(two->family().independent());
  EXPECT_FALSE(one->family().independent());
  EXPECT_NE(&one->family(), &two->family());
}

}  // namespace
}  // namespace lazynet::plan
