#include "service/handlers/describe_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/service/support/test_host.h"
#include "tests/support/definitions.h"

namespace lazynet::handlers {
namespace {

using ::testing::HasSubstr;

class DescribePlanTest : public ::testing::Test {
 protected:
  DescribePlanTest()
      : network_(*hosting::HostedNetwork::Create(
            {.network = testing::NetworkOf(testing::LazyMlp())}, host_.environment)) {}

  static bool Never() { return false; }

  void Bind(const Shape& shape) { ASSERT_TRUE(network_->Prepare({&shape, 1}).ok()); }

  testing::TestHost host_;
  std::shared_ptr<hosting::HostedNetwork> network_;
  scheduling::BuildLane lane_{1, nullptr};
  PlanDescriber describer_{lane_, {}};
  v1::DescribePlanResponse response_;
};

TEST_F(DescribePlanTest, MeasuresOnceAtATime) {
  Bind({2, 10});
  int nested = 0;
  absl::Status second;
  // Asked before every run, while the plan is being measured.
  const auto ask_again = [&] {
    if (response_.steps().empty() || nested++ > 0) return false;
    v1::DescribePlanResponse other;
    second = describer_.Describe(network_, {Shape{2, 10}}, 1, Never, other);
    return false;
  };
  ASSERT_TRUE(describer_.Describe(network_, {Shape{2, 10}}, 3, ask_again, response_).ok());
  EXPECT_EQ(response_.profile_runs(), 3u);
  EXPECT_GE(nested, 4);
  EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(second.message(), HasSubstr("being measured"));
  // And again when it is done.
  v1::DescribePlanResponse after;
  EXPECT_TRUE(describer_.Describe(network_, {Shape{2, 10}}, 1, Never, after).ok());
}

TEST_F(DescribePlanTest, SaysInWhichGroupsABatchIsRun) {
  Bind({17, 10});
  ASSERT_TRUE(describer_.Describe(network_, {Shape{17, 10}}, 1, Never, response_).ok());
  int64_t items = 0;
  int64_t calls = 0;
  ASSERT_GE(response_.groups_size(), 1);
  for (const v1::PlanGroups& groups : response_.groups()) {
    items += groups.count() * groups.items() - groups.missing_items();
    calls += groups.count();
  }
  EXPECT_EQ(items, 17);
  const int steps = response_.steps_size() / response_.groups_size();
  int64_t called = 0;
  for (const v1::PlanStep& step : response_.steps()) called += step.calls();
  EXPECT_EQ(called, steps * calls);
}

TEST_F(DescribePlanTest, EndsWhenTheCallerGoesAway) {
  Bind({2, 10});
  const auto gone = [&] { return !response_.steps().empty(); };
  EXPECT_EQ(describer_.Describe(network_, {Shape{2, 10}}, 1000, gone, response_).code(),
            absl::StatusCode::kCancelled);
}

TEST_F(DescribePlanTest, DoesNotWaitForTheBuildLaneWhenNobodyWaits) {
  std::promise<void> begun, release;
  ASSERT_TRUE(lane_.Submit([&](const absl::Status&) {
    begun.set_value();
    release.get_future().wait();
  }));
  begun.get_future().wait();
  const auto gone = [] { return true; };
  EXPECT_EQ(describer_.Describe(network_, {Shape{2, 10}}, 0, gone, response_).code(),
            absl::StatusCode::kCancelled);
  // That one still has its place in the queue, which is full with it.
  const absl::Status full = describer_.Describe(network_, {Shape{2, 10}}, 0, Never, response_);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(full.message(), HasSubstr("too many plans wait"));
  release.set_value();
}

TEST_F(DescribePlanTest, RefusesOutputsThatAreTooLargeToRun) {
  PlanDescriber describer(lane_, {.input_bytes = 1000, .output_bytes = 7});
  Bind({2, 10});
  // Two floats come out.
  ASSERT_TRUE(describer.Describe(network_, {Shape{2, 10}}, 0, Never, response_).ok());
  const absl::Status run = describer.Describe(network_, {Shape{2, 10}}, 1, Never, response_);
  EXPECT_EQ(run.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(run.message(), HasSubstr("8 bytes, wants at most 7"));
  // 26 rows of 10 floats go in.
  const absl::Status large = describer.Describe(network_, {Shape{26, 10}}, 0, Never, response_);
  EXPECT_EQ(large.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(large.message(), HasSubstr("1040 bytes, wants at most 1000"));
}

}  // namespace
}  // namespace lazynet::handlers
