#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/service/support/lazy_network_fixture.h"

namespace lazynet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LazyNetworkTest;
using ::testing::Not;

class DescribePlanTest : public LazyNetworkTest {
 protected:
  static v1::DescribePlanRequest Ask(const std::vector<int64_t>& shape, uint32_t runs = 0) {
    v1::DescribePlanRequest request;
    request.set_name("mlp");
    request.set_profile_runs(runs);
    v1::BoundInput& input = *request.add_inputs();
    input.set_name("input");
    for (const int64_t dim : shape) input.add_shape(dim);
    return request;
  }

  // On the main address.
  grpc::Status Describe(const v1::DescribePlanRequest& request) {
    response_.Clear();
    grpc::ClientContext context;
    return live_->lazy_networks().DescribePlan(&context, request, &response_);
  }
  grpc::Status DescribeAsAdmin(const v1::DescribePlanRequest& request) {
    response_.Clear();
    return Call(&v1::LazyNetworkService::Stub::DescribePlan, request, response_);
  }

  void Bind() { ASSERT_TRUE(live_->Infer("mlp", {2, 10}, std::vector<float>(20, 1)).status.ok()); }

  v1::DescribePlanResponse response_;
};

TEST_F(DescribePlanTest, ALazyNetworkTellsItsOpsAndStaysLazy) {
  ASSERT_TRUE(Describe(Ask({2, 8})).ok());
  EXPECT_FALSE(response_.has_kernels());
  EXPECT_FALSE(response_.cached());
  ASSERT_EQ(response_.steps_size(), 4);
  const v1::PlanStep& fc1 = response_.steps(0);
  EXPECT_EQ(fc1.layer(), "fc1");
  EXPECT_EQ(fc1.op(), "inner_product");
  EXPECT_EQ(fc1.implementation(), "");
  EXPECT_EQ(fc1.flops(), 2 * 2 * 8 * 10);
  EXPECT_EQ(fc1.weight_bytes(), (8 * 10 + 10) * 4u);
  EXPECT_THAT(fc1.output().shape(), ElementsAre(2, 10));
  EXPECT_EQ(fc1.inputs(1).constant(), "fc1.weight");
  EXPECT_EQ(response_.steps(1).op(), "relu");
  EXPECT_THAT(response_.outputs(0).shape(), ElementsAre(2, 1));

  const v1::DescribeNetworkResponse network = live_->Describe("mlp");
  EXPECT_EQ(network.state(), v1::NETWORK_STATE_LAZY);
  EXPECT_TRUE(network.has_uninitialized_params());
  // Other sizes are still possible.
  EXPECT_TRUE(Describe(Ask({2, 9})).ok());
}

TEST_F(DescribePlanTest, WithoutShapesItIsThePlanThatWasUsedLast) {
  v1::DescribePlanRequest request;
  request.set_name("mlp");
  const grpc::Status lazy = Describe(request);
  EXPECT_EQ(lazy.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(lazy.error_message(), HasSubstr("wants input shapes"));

  Bind();
  ASSERT_TRUE(live_->Infer("mlp", {3, 10}, std::vector<float>(30, 1)).status.ok());
  const grpc::Status bound = Describe(request);
  ASSERT_TRUE(bound.ok()) << bound.error_message();
  EXPECT_TRUE(response_.has_kernels());
  EXPECT_TRUE(response_.cached());
  EXPECT_THAT(response_.inputs(0).shape(), ElementsAre(3, 10));
  ASSERT_EQ(response_.cached_plans_size(), 2);
  EXPECT_THAT(response_.cached_plans(0).inputs(0).shape(), ElementsAre(3, 10));
  EXPECT_GT(response_.plan_bytes(), 0u);
  EXPECT_GT(response_.packed_weight_bytes(), 0u);
  ASSERT_FALSE(response_.steps().empty());
  // The input is checked before a fused activation.
  const int first = response_.steps(0).op() == "range_check" ? 1 : 0;
  ASSERT_GT(response_.steps_size(), first);
  const v1::PlanStep& fc1 = response_.steps(first);
  EXPECT_EQ(fc1.layer(), "fc1");
  EXPECT_THAT(fc1.implementation(), Not(IsEmpty()));
  EXPECT_EQ(fc1.threads(), 1);
  EXPECT_EQ(fc1.inputs(0).layout(), "dense");
  EXPECT_TRUE(fc1.inputs(0).has_input());
  ASSERT_EQ(response_.output_values_size(), 1);
  EXPECT_TRUE(response_.output_values(0).has_step());
}

TEST_F(DescribePlanTest, APlanForOtherShapesIsNotKept) {
  Bind();
  ASSERT_TRUE(Describe(Ask({5, 10})).ok());
  EXPECT_TRUE(response_.has_kernels());
  EXPECT_FALSE(response_.cached());
  EXPECT_EQ(response_.cached_plans_size(), 1);
  EXPECT_EQ(live_->Describe("mlp").plans_size(), 1);
  const std::string labels = "{model=\"mlp\",version=\"1\"}";
  EXPECT_EQ(live_->Metric("lazynet_plan_cache_hits_total" + labels), 0);
  EXPECT_EQ(live_->Metric("lazynet_plan_cache_misses_total" + labels), 1);
}

TEST_F(DescribePlanTest, WrongShapesAreNamed) {
  v1::DescribePlanRequest request = Ask({2, 10});
  request.mutable_inputs(0)->set_name("image");
  EXPECT_THAT(Describe(request).error_message(), HasSubstr("unknown input \"image\""));
  EXPECT_THAT(Describe(Ask({})).error_message(), HasSubstr("layer \"fc1\""));
  const grpc::Status deep = Describe(Ask(std::vector<int64_t>(13, 1)));
  EXPECT_EQ(deep.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(deep.error_message(), HasSubstr("input \"input\""));
  const grpc::Status large = Describe(Ask({int64_t{1} << 20, 1 << 10}));
  EXPECT_EQ(large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(large.error_message(), HasSubstr("--max-message-bytes"));
  EXPECT_EQ(live_->Describe("mlp").state(), v1::NETWORK_STATE_LAZY);

  Bind();
  const grpc::Status other = Describe(Ask({2, 11}));
  EXPECT_EQ(other.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(other.error_message(), HasSubstr("bound by the first request"));
  request = Ask({2, 10});
  request.set_name("nobody");
  EXPECT_EQ(Describe(request).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(DescribePlanTest, APlanBeyondTheLimitIsRefused) {
  config::ServerConfig config;
  config.max_plan_bytes = 20000;
  live_ = std::make_unique<testing::LiveServer>(repository_.path(), config);
  Bind();
  const grpc::Status large = Describe(Ask({1000, 10}));
  EXPECT_EQ(large.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(large.error_message(), HasSubstr("20000 bytes"));
}

TEST_F(DescribePlanTest, IsMeasuredOnTheAdminAddressOnly) {
  Bind();
  const grpc::Status refused = Describe(Ask({2, 10}, 3));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(), HasSubstr("--admin-address"));
  const grpc::Status measured = DescribeAsAdmin(Ask({2, 10}, 3));
  ASSERT_TRUE(measured.ok()) << measured.error_message();
  EXPECT_EQ(response_.profile_runs(), 3u);
  EXPECT_FALSE(response_.steps().empty());
  const grpc::Status many = DescribeAsAdmin(Ask({2, 10}, 1001));
  EXPECT_EQ(many.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(many.error_message(), HasSubstr("wants at most 1000, got 1001"));
}

TEST_F(DescribePlanTest, ALazyNetworkIsNotBoundToMeasureIt) {
  const grpc::Status status = DescribeAsAdmin(Ask({2, 10}, 3));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("InitializeParameters"));
  EXPECT_EQ(live_->Describe("mlp").state(), v1::NETWORK_STATE_LAZY);
}

TEST_F(DescribePlanTest, ANetworkThatOnlyAnAdministratorBindsMayBeLookedAt) {
  v1::RegisterNetworkRequest request;
  request.set_name("guarded");
  request.set_text(testing::kMlp);
  request.mutable_serving()->set_binding_policy(v1::BY_ADMIN);
  auto& limits = *request.mutable_serving()->add_input_limits();
  limits.set_name("input");
  limits.set_max_elements(20);
  v1::RegisterNetworkResponse registered;
  ASSERT_TRUE(Call(&v1::LazyNetworkService::Stub::RegisterNetwork, request, registered).ok());
  v1::DescribePlanRequest ask = Ask({2, 10});
  ask.set_name("guarded");
  EXPECT_TRUE(Describe(ask).ok());
  ask.mutable_inputs(0)->set_shape(0, 3);
  EXPECT_EQ(Describe(ask).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace lazynet
