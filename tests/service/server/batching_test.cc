#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using testing::InferAnswer;
using testing::LiveServer;
using testing::RequestOf;
using testing::TemporaryRepository;

constexpr const char* kMlp = R"(
    layers { name: "fc1" linear { out_features: 24 } }
    layers { name: "act" gelu {} }
    layers { name: "fc2" linear { out_features: 5 } })";

// Requests wait until there are four items, however long that takes.
constexpr const char* kFours = "batching { max_batch_size: 4 max_delay_microseconds: 60000000 }";

class Batching : public ::testing::Test {
 protected:
  Batching() {
    repository_.Write("alone/network.textproto", kMlp);
    repository_.Write("alone/serving.textproto", "batching { max_batch_size: 1 }");
    repository_.Write("fours/network.textproto", kMlp);
    repository_.Write("fours/serving.textproto", kFours);
  }

  static std::vector<float> Row(int seed) {
    std::vector<float> row(7);
    for (size_t i = 0; i < row.size(); ++i) row[i] = std::sin(static_cast<float>(seed + 10 * i));
    return row;
  }

  // Four clients at once, each with a row of its own.
  static std::vector<InferAnswer> SendFour(LiveServer& live, int seed) {
    std::vector<std::future<InferAnswer>> sent;
    for (int i = 0; i < 4; ++i) {
      sent.push_back(std::async(std::launch::async, [&live, seed, i] {
        return live.Infer("fours", {1, 7}, Row(seed + i));
      }));
    }
    std::vector<InferAnswer> answers;
    for (auto& answer : sent) answers.push_back(answer.get());
    return answers;
  }

  static double Batches(LiveServer& live, const std::string& most) {
    return live.Metric("lazynet_batch_size_bucket{model=\"fours\",version=\"1\",le=\"" + most +
                       "\"}");
  }

  static void ExpectEqual(const InferAnswer& got, const InferAnswer& wanted) {
    ASSERT_TRUE(got.status.ok() && wanted.status.ok()) << got.status.error_message();
    EXPECT_EQ(got.shape(), wanted.shape());
    for (size_t i = 0; i < wanted.floats().size(); ++i) {
      EXPECT_NEAR(got.floats()[i], wanted.floats()[i], 1e-6f);
    }
  }

  TemporaryRepository repository_;
};

TEST_F(Batching, RequestsOfSeveralClientsAreRunTogetherAndEachHasItsOwnAnswer) {
  LiveServer live(repository_.path(), {.lanes = 1});
  // The first four have no plan together yet, and are run one by one.
  for (const InferAnswer& answer : SendFour(live, 0)) ASSERT_TRUE(answer.status.ok());
  const auto hosted = *live.server().repository().Find("fours", "");
  while (hosted->bound()->plans.Find(std::vector<Shape>{{4, 7}}) == nullptr) {
    std::this_thread::yield();
  }
  const double before = Batches(live, "2");
  const std::vector<InferAnswer> answers = SendFour(live, 100);
  EXPECT_EQ(Batches(live, "2"), before);
  EXPECT_EQ(Batches(live, "4"), before + 1);
  for (int i = 0; i < 4; ++i) {
    ExpectEqual(answers[static_cast<size_t>(i)], live.Infer("alone", {1, 7}, Row(100 + i)));
  }
  grpc::ClientContext context;
  inference::ModelStatisticsRequest request;
  request.set_name("fours");
  inference::ModelStatisticsResponse response;
  ASSERT_TRUE(live.inference().ModelStatistics(&context, request, &response).ok());
  EXPECT_EQ(response.model_stats(0).inference_count(), 8u);
  EXPECT_EQ(response.model_stats(0).execution_count(), 5u);
  EXPECT_EQ(response.model_stats(0).inference_stats().success().count(), 8u);
}

// The same with the reference backend gives the same bits.
TEST_F(Batching, ABatchHasTheBitsOfItsItemsWhereTheKernelsDo) {
  LiveServer live(repository_.path(), {.lanes = 1, .backend = "reference"});
  SendFour(live, 0);
  const auto hosted = *live.server().repository().Find("fours", "");
  while (hosted->bound()->plans.Find(std::vector<Shape>{{4, 7}}) == nullptr) {
    std::this_thread::yield();
  }
  const std::vector<InferAnswer> answers = SendFour(live, 7);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(answers[static_cast<size_t>(i)].floats(),
              live.Infer("alone", {1, 7}, Row(7 + i)).floats());
  }
}

TEST_F(Batching, ItemsThatDependOnEachOtherAreNeverRunWithThoseOfOthers) {
  constexpr const char* kNorm = R"(
      layers { name: "norm" batch_norm1d { track_running_stats: false } })";
  repository_.Write("norm/network.textproto", kNorm);
  repository_.Write("norm/serving.textproto", kFours);
  LiveServer live(repository_.path(), {.lanes = 1});
  // It does not wait for others either.
  const InferAnswer answer = live.Infer("norm", {2, 2}, {1, 10, 3, 30});
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_NEAR(answer.floats()[0], -1, 1e-3f);
  EXPECT_NEAR(answer.floats()[3], 1, 1e-3f);
}

// One request's values are wrong: only the kernel can see that, when it runs them with others'.
TEST_F(Batching, WhatOneRequestHasWrongIsNoFaultOfThoseItIsRunWith) {
  repository_.Write("fours/network.textproto", R"(
      inputs { name: "input" datatype: "INT64" }
      layers { name: "rows" embedding { num_embeddings: 10 embedding_dim: 3 } })");
  LiveServer live(repository_.path(), {.lanes = 1});
  const auto send = [&](std::vector<int64_t> ids) {
    std::vector<std::future<InferAnswer>> sent;
    for (const int64_t id : ids) {
      inference::ModelInferRequest request;
      request.set_model_name("fours");
      auto& input = *request.add_inputs();
      input.set_name("input");
      input.set_datatype("INT64");
      input.add_shape(1);
      input.add_shape(1);
      input.mutable_contents()->add_int64_contents(id);
      sent.push_back(
          std::async(std::launch::async, [&live, request] { return live.Infer(request); }));
    }
    std::vector<InferAnswer> answers;
    for (auto& answer : sent) answers.push_back(answer.get());
    return answers;
  };
  const std::vector<InferAnswer> alone = send({1, 2, 3, 4});
  for (const InferAnswer& answer : alone) {
    ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  }
  const auto hosted = *live.server().repository().Find("fours", "");
  while (hosted->bound()->plans.Find(std::vector<Shape>{{4, 1}}) == nullptr) {
    std::this_thread::yield();
  }
  const std::vector<InferAnswer> answers = send({1, 2, 77, 4});
  for (size_t i = 0; i < answers.size(); ++i) {
    if (i == 2) {
      EXPECT_EQ(answers[i].status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_THAT(answers[i].status.error_message(), ::testing::HasSubstr("77"));
    } else {
      ASSERT_TRUE(answers[i].status.ok()) << answers[i].status.error_message();
      EXPECT_EQ(answers[i].floats(), alone[i].floats());
    }
  }
}

// A batch is one execution whoever of it has an answer.
TEST_F(Batching, AnExecutionIsCountedThoughItsFirstAnswerCannotBeMade) {
  repository_.Write("fours/network.textproto", R"(
      layers { name: "nan" isnan {} }
      outputs { name: "nan" layer: "nan" })");
  LiveServer live(repository_.path(), {.lanes = 1});
  const auto send = [&](bool classes) {
    std::vector<std::future<InferAnswer>> sent;
    for (int i = 0; i < 4; ++i) {
      auto request = RequestOf("fours", {1, 7}, Row(i));
      auto& output = *request.add_outputs();
      output.set_name("nan");
      // Of BOOL there are no classes. Three of four, so that one of them is likely the first.
      if (classes && i < 3) (*output.mutable_parameters())["classification"].set_int64_param(1);
      sent.push_back(
          std::async(std::launch::async, [&live, request] { return live.Infer(request); }));
    }
    int answered = 0;
    for (auto& answer : sent) answered += answer.get().status.ok() ? 1 : 0;
    return answered;
  };
  ASSERT_EQ(send(false), 4);
  const auto hosted = *live.server().repository().Find("fours", "");
  while (hosted->bound()->plans.Find(std::vector<Shape>{{4, 7}}) == nullptr) {
    std::this_thread::yield();
  }
  const auto before = hosted->statistics().Read();
  ASSERT_EQ(send(true), 1);
  const auto after = hosted->statistics().Read();
  EXPECT_EQ(after.items, before.items + 1);
  EXPECT_EQ(after.executions, before.executions + 1);
  EXPECT_EQ(after.batches.at(4).compute_infer.count, 1u);
}

TEST_F(Batching, ARequestsTimeoutEndsItsWait) {
  LiveServer live(repository_.path(), {.lanes = 1});
  SendFour(live, 0);
  auto request = RequestOf("fours", {1, 7}, Row(1));
  (*request.mutable_parameters())["timeout"].set_int64_param(2000);
  // A delay ends so that a request may be answered in time: this one is run, or is too late.
  const InferAnswer answer = live.Infer(request);
  EXPECT_TRUE(answer.status.ok() ||
              answer.status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  // A microsecond has passed before there is a place to wait.
  request.set_model_name("alone");
  ASSERT_TRUE(live.Infer("alone", {1, 7}, Row(1)).status.ok());
  (*request.mutable_parameters())["timeout"].set_int64_param(1);
  EXPECT_EQ(live.Infer(request).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(
      live.Metric(R"(lazynet_deadline_expired_total{model="alone",version="1",stage="queue"})"), 1);
  (*request.mutable_parameters())["timeout"].set_int64_param(-1);
  const InferAnswer wrong = live.Infer(request);
  EXPECT_EQ(wrong.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(wrong.status.error_message(), "parameter \"timeout\" wants at least 0, got -1");
}

TEST_F(Batching, OptionsOutOfRangeKeepAModelFromLoading) {
  repository_.Write("wrong/network.textproto", kMlp);
  repository_.Write("wrong/serving.textproto", "queue { share: -1 }");
  LiveServer live(repository_.path());
  const InferAnswer answer = live.Infer("wrong", {1, 7}, Row(0));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(answer.status.error_message(),
              ::testing::HasSubstr("queue.share wants 0 to 1000000, got -1"));
}

}  // namespace
}  // namespace lazynet
