// ModelConfig and ModelStatistics, as perf_analyzer reads them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using ::testing::ElementsAre;
using testing::LiveServer;
using testing::TemporaryRepository;

class DescribeModel : public ::testing::Test {
 protected:
  DescribeModel() {
    repository_.AddEmbeddedModels();
    config::ServerConfig config;
    config.lanes = 2;
    live_ = std::make_unique<LiveServer>(repository_.path(), config);
  }

  grpc::Status Config(const std::string& name, const std::string& version,
                      inference::ModelConfig& config) {
    inference::ModelConfigRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelConfigResponse response;
    grpc::ClientContext context;
    const grpc::Status status = live_->inference().ModelConfig(&context, request, &response);
    config = response.config();
    return status;
  }

  grpc::Status Statistics(const std::string& name, const std::string& version,
                          std::vector<inference::ModelStatistics>& statistics) {
    inference::ModelStatisticsRequest request;
    request.set_name(name);
    request.set_version(version);
    inference::ModelStatisticsResponse response;
    grpc::ClientContext context;
    const grpc::Status status = live_->inference().ModelStatistics(&context, request, &response);
    statistics.assign(response.model_stats().begin(), response.model_stats().end());
    return status;
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(DescribeModel, ConfigTellsWhatMetadataDoes) {
  inference::ModelConfig config;
  ASSERT_TRUE(Config("mnist", "", config).ok());
  EXPECT_EQ(config.name(), "mnist");
  EXPECT_EQ(config.platform(), "lazynet_network");
  EXPECT_EQ(config.backend(), "lazynet");
  EXPECT_EQ(config.max_batch_size(), 0);
  EXPECT_TRUE(config.version_policy().has_all());
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).name(), "input");
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_FP32);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(-1, 1, 28, 28));
  ASSERT_EQ(config.output_size(), 1);
  EXPECT_THAT(config.output(0).dims(), ElementsAre(-1, 10));
  ASSERT_EQ(config.instance_group_size(), 1);
  EXPECT_EQ(config.instance_group(0).kind(), inference::ModelInstanceGroup::KIND_CPU);
  EXPECT_EQ(config.instance_group(0).count(), 2);
  EXPECT_EQ(config.dynamic_batching().max_queue_delay_microseconds(), 0u);
  EXPECT_EQ(config.dynamic_batching().default_queue_policy().max_queue_size(), 1024u);
  EXPECT_FALSE(config.model_transaction_policy().decoupled());
}

TEST_F(DescribeModel, WhatIsNotThereIsNotFound) {
  inference::ModelConfig config;
  std::vector<inference::ModelStatistics> statistics;
  EXPECT_EQ(Config("absent", "", config).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Config("mnist", "7", config).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Config("mnist", "x", config).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Statistics("absent", "", statistics).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Statistics("", "1", statistics).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(DescribeModel, StatisticsCountRequestsItemsAndStages) {
  std::vector<inference::ModelStatistics> statistics;
  ASSERT_TRUE(Statistics("lazy_mlp", "1", statistics).ok());
  ASSERT_EQ(statistics.size(), 1u);
  EXPECT_EQ(statistics[0].last_inference(), 0u);
  EXPECT_EQ(statistics[0].inference_stats().success().count(), 0u);

  for (const int64_t items : {3, 3, 5}) {
    ASSERT_TRUE(
        live_->Infer("lazy_mlp", {items, 10}, std::vector<float>(static_cast<size_t>(items) * 10))
            .status.ok());
  }
  EXPECT_FALSE(live_->Infer("lazy_mlp", {1, 9}, std::vector<float>(9)).status.ok());
  ASSERT_TRUE(Statistics("lazy_mlp", "", statistics).ok());
  ASSERT_EQ(statistics.size(), 1u);
  const inference::ModelStatistics& now = statistics[0];
  EXPECT_EQ(now.name(), "lazy_mlp");
  EXPECT_EQ(now.version(), "1");
  EXPECT_GT(now.last_inference(), 1'700'000'000'000u);
  EXPECT_EQ(now.inference_count(), 11u);
  EXPECT_EQ(now.execution_count(), 3u);
  const inference::InferStatistics& all = now.inference_stats();
  EXPECT_EQ(all.success().count(), 3u);
  EXPECT_EQ(all.fail().count(), 1u);
  EXPECT_EQ(all.queue().count(), 3u);
  EXPECT_EQ(all.compute_infer().count(), 3u);
  EXPECT_GT(all.compute_infer().ns(), 0u);
  EXPECT_GE(all.success().ns(), all.queue().ns() + all.compute_input().ns() +
                                    all.compute_infer().ns() + all.compute_output().ns());
  ASSERT_EQ(now.batch_stats_size(), 2);
  EXPECT_EQ(now.batch_stats(0).batch_size(), 3u);
  EXPECT_EQ(now.batch_stats(0).compute_infer().count(), 2u);
  EXPECT_EQ(now.batch_stats(1).batch_size(), 5u);
  ASSERT_EQ(now.memory_usage_size(), 1);
  EXPECT_GE(now.memory_usage(0).byte_size(), (10u * 10 + 10 + 10 + 1) * sizeof(float));
}

TEST_F(DescribeModel, StatisticsOfAllModelsComeTogether) {
  std::vector<inference::ModelStatistics> statistics;
  ASSERT_TRUE(Statistics("", "", statistics).ok());
  size_t hosted = 0;
  for (const auto& [name, versions] : live_->server().repository().models()) {
    hosted += versions.size();
  }
  EXPECT_GT(hosted, 1u);
  EXPECT_EQ(statistics.size(), hosted);
}

}  // namespace
}  // namespace lazynet
