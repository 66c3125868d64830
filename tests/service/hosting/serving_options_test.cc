#include "service/hosting/serving_options.h"

#include <gtest/gtest.h>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "tests/support/definitions.h"

namespace lazynet::hosting {
namespace {

absl::StatusOr<ServingOptions> Read(const char* text) {
  ASSIGN_OR_RETURN(const v1::ServingConfig config, ParseServingText(text));
  return ConvertServing(config, *testing::NetworkOf(testing::LazyMlp()));
}

TEST(ServingOptions, AreTheDefaultsWhenNothingIsSaid) {
  const auto options = Read("");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->policy, BindingPolicy::kOnFirstRequest);
  EXPECT_TRUE(options->limits.empty());
  EXPECT_EQ(options->versions.kind, VersionPolicy::Kind::kAll);
  EXPECT_TRUE(options->warm_up.empty());
  EXPECT_FALSE(options->pinned);
}

TEST(ServingOptions, ReadPolicyShapesAndLimits) {
  const auto options = Read(R"(
      binding_policy: AT_LOAD
      bind_inputs { name: "input" shape: [1, 784] }
      input_limits { name: "input" dims { min: 1 max: 64 } dims { max: 1024 } max_elements: 50000 }
      max_parameter_bytes: 1000
      warm_up { inputs { name: "input" shape: [8, 784] } }
      warm_up { inputs { name: "input" shape: [1, 784] } }
      pinned: true)");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->policy, BindingPolicy::kAtLoad);
  EXPECT_EQ(options->bind_shapes, (std::vector<Shape>{Shape{1, 784}}));
  EXPECT_EQ(options->max_parameter_bytes, 1000u);
  EXPECT_EQ(options->warm_up, (std::vector<std::vector<Shape>>{{Shape{8, 784}}, {Shape{1, 784}}}));
  EXPECT_TRUE(options->pinned);
  const auto network = testing::NetworkOf(testing::LazyMlp());
  const auto check = [&](const Shape& shape) {
    return options->CheckLimits(*network, {&shape, 1});
  };
  EXPECT_TRUE(check({64, 700}).ok());
  EXPECT_EQ(Message(check({65, 1})),
            "input \"input\": wants dim 0 from 1 to 64 (input_limits), got 65");
  EXPECT_EQ(Message(check({1, 1025})),
            "input \"input\": wants dim 1 from 0 to 1024 (input_limits), got 1025");
  EXPECT_EQ(Message(check({7})),
            "input \"input\": wants a rank of 2 (input_limits), got shape [7]");
  EXPECT_EQ(check({64, 1000}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Message(check({64, 1000})),
            "input \"input\": wants at most 50000 elements (input_limits), got 64000");
}

TEST(ServingOptions, QueuesAndBatchesAreTheServersUnlessSaid) {
  const QueueOptions of_server{.capacity = 99, .max_wait = std::chrono::milliseconds(700)};
  const auto network = testing::NetworkOf(testing::LazyMlp());
  const auto read = [&](const char* text) {
    return ConvertServing(*ParseServingText(text), *network, of_server)->queue;
  };
  const QueueOptions unsaid = read("");
  EXPECT_EQ(unsaid.capacity, 99);
  EXPECT_EQ(unsaid.max_wait, of_server.max_wait);
  EXPECT_EQ(unsaid.share, 1);
  EXPECT_EQ(unsaid.max_batch_size, 0);
  EXPECT_EQ(unsaid.PriorityOf(7), 1);
  const QueueOptions said = read(R"(
      batching { max_batch_size: 16 max_delay_microseconds: 200 }
      queue { max_requests: 5 max_wait_milliseconds: 20 share: 0.5 priority_levels: 5 })");
  EXPECT_EQ(said.capacity, 5);
  EXPECT_EQ(said.max_wait, std::chrono::milliseconds(20));
  EXPECT_EQ(said.share, 0.5);
  EXPECT_EQ(said.max_batch_size, 16);
  EXPECT_EQ(said.max_batch_delay, std::chrono::microseconds(200));
  EXPECT_EQ(said.PriorityOf(0), 3);  // the middle one
  EXPECT_EQ(said.PriorityOf(5), 5);
  EXPECT_EQ(said.PriorityOf(6), 3);
}

TEST(ServingOptions, NameWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"binding_policy: SOMETIMES",
       "1:26: Unknown enumeration value of \"SOMETIMES\" for field "
       "\"binding_policy\"."},
      {"binding_policy: AT_LOAD", "bind_inputs of AT_LOAD wants a shape for \"input\", got none"},
      {"bind_inputs { name: 'input' }", "bind_inputs wants binding_policy AT_LOAD"},
      {"binding_policy: AT_LOAD bind_inputs { name: 'x' }", "the network has no input \"x\""},
      {"warm_up {}", "warm_up wants a shape for \"input\", got none"},
      {"warm_up { inputs { name: 'x' } }", "the network has no input \"x\""},
      {"warm_up { inputs { name: 'input' shape: -1 } }",
       "warm_up of \"input\": wants dims from 0 to 2147483647, got -1 in [-1]"},
      {"input_limits { name: 'input' dims { max: 4 } } warm_up { inputs { name: 'input' shape: 5 } "
       "}",
       "input \"input\": wants dim 0 from 0 to 4 (input_limits), got 5"},
      {"input_limits { name: 'x' }", "the network has no input \"x\""},
      {"input_limits { name: 'input' dims { min: 3 max: 2 } }",
       "input_limits of \"input\": wants ranges within 0 to 2147483647, got 3 to 2"},
      {"queue { max_requests: -1 }", "queue.max_requests wants 0 to 1048576, got -1"},
      {"queue { priority_levels: 2 default_priority: 3 }",
       "queue.default_priority wants 0 to 2, got 3"},
      {"queue { share: -2 }", "queue.share wants 0 to 1000000, got -2"},
      {"batching { max_delay_microseconds: 60000001 }",
       "batching.max_delay_microseconds wants 0 to 60000000, got 60000001"},
      {"version_policy { specific {} }",
       "version_policy: wants at least one specific version, got none"},
  };
  for (const auto& [text, error] : rows) {
    EXPECT_EQ(std::string(Message(Read(text).status())), error);
  }
}

}  // namespace
}  // namespace lazynet::hosting
