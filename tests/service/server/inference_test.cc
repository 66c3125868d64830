#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <thread>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::InferAnswer;
using testing::LiveServer;
using testing::RequestOf;
using testing::TemporaryRepository;

constexpr const char* kConv = R"(
    layers { name: "conv" conv2d { out_channels: 4 kernel_size: 3 groups: 2 } }
    layers { name: "relu" relu {} })";

class Inference : public ::testing::Test {
 protected:
  Inference() {
    repository_.AddEmbeddedModels();
    repository_.Write("conv/network.textproto", kConv);
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(Inference, TheFirstRequestMaterializesPyTorchsNetworkOfSeed0) {
  EXPECT_EQ(live_->Describe("lazy_mlp").state(), v1::NETWORK_STATE_LAZY);
  const InferAnswer answer = live_->Infer("lazy_mlp", {10, 10}, std::vector<float>(100, 0.0f));
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_THAT(answer.shape(), ElementsAre(10, 1));
  EXPECT_EQ(answer.response.model_name(), "lazy_mlp");
  EXPECT_EQ(answer.response.model_version(), "1");
  const v1::DescribeNetworkResponse described = live_->Describe("lazy_mlp");
  EXPECT_EQ(described.state(), v1::NETWORK_STATE_READY);
  EXPECT_EQ(described.binding().source(), "first_request");
  EXPECT_EQ(described.known_parameter_count(), 121u);
  const auto hosted = live_->server().repository().Find("lazy_mlp", "");
  const auto bits = (*hosted)->bound()->parameters.value(0, 0)->tensor.values<float>();
  EXPECT_EQ(std::bit_cast<uint32_t>(bits[0]), 0xbb1b28bdu);
  EXPECT_EQ(std::bit_cast<uint32_t>(bits[1]), 0x3e2db5adu);
  EXPECT_EQ(std::bit_cast<uint32_t>(bits[2]), 0xbe854213u);
}

// BF16 shows in what is described and, by less than its precision, in the values; nowhere else.
TEST_F(Inference, ANetworkMayBeComputedInBf16) {
  constexpr const char* kLayers = R"(
      layers { name: "fc1" linear { out_features: 64 } } layers { name: "act" gelu {} }
      layers { name: "fc2" linear { out_features: 3 } } )";
  repository_.Write("fp32/network.textproto", kLayers);
  repository_.Write("bf16/network.textproto", std::string(kLayers) + "compute: \"BF16\"");
  LiveServer live(repository_.path());
  std::vector<float> input(32);
  for (size_t i = 0; i < input.size(); ++i) input[i] = std::sin(static_cast<float>(i));
  const InferAnswer wanted = live.Infer("fp32", {2, 16}, input);
  const InferAnswer answer = live.Infer("bf16", {2, 16}, input);
  ASSERT_TRUE(wanted.status.ok() && answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.outputs(0).datatype(), "FP32");
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(answer.floats()[i], wanted.floats()[i], 0.01f);
  }
  const v1::DescribeNetworkResponse low = live.Describe("bf16");
  const v1::DescribeNetworkResponse high = live.Describe("fp32");
  EXPECT_EQ(low.compute(), "BF16");
  EXPECT_EQ(high.compute(), "FP32");
  EXPECT_EQ(low.parameter_hash(), high.parameter_hash());
  EXPECT_EQ(high.plans(0).compute(), "FP32");
  // Without the instructions the plan is FP32, and so are the bits.
  const bool is_low = low.plans(0).compute() == "BF16";
  EXPECT_TRUE(is_low || low.plans(0).compute() == "FP32");
  EXPECT_EQ(answer.floats() != wanted.floats(), is_low);
}

TEST_F(Inference, ABoundNetworkRefusesOtherSizesAndSaysWhatBoundIt) {
  ASSERT_TRUE(live_->Infer("lazy_mlp", {10, 10}, std::vector<float>(100)).status.ok());
  const std::string before = live_->Describe("lazy_mlp").SerializeAsString();
  const InferAnswer answer = live_->Infer("lazy_mlp", {4, 7}, std::vector<float>(28));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(answer.status.error_message(),
              HasSubstr("layer \"fc1\" (Linear): wants in_features 10, got 7 (bound by the first "
                        "request, input [10, 10], at 2"));
  EXPECT_EQ(live_->Describe("lazy_mlp").SerializeAsString(), before);
  EXPECT_TRUE(live_->Infer("lazy_mlp", {3, 10}, std::vector<float>(30)).status.ok());
  EXPECT_TRUE(live_->Infer("lazy_mlp", {10}, std::vector<float>(10)).status.ok());
}

TEST_F(Inference, AWrongFirstRequestLeavesTheNetworkLazy) {
  auto wrong_dtype = RequestOf("conv", {1, 4, 8, 8}, std::vector<float>(256));
  wrong_dtype.mutable_inputs(0)->set_datatype("INT64");
  auto wrong_bytes = RequestOf("conv", {1, 4, 8, 8}, std::vector<float>(255));
  const struct {
    inference::ModelInferRequest request;
    const char* error;
  } rows[] = {
      {RequestOf("conv", {8, 8}, std::vector<float>(64)),
       "layer \"conv\" (Conv2d): wants a rank of 3 (unbatched) or 4, got shape [8, 8]"},
      {wrong_dtype, "input \"input\": wants datatype FP32, got \"INT64\""},
      {wrong_bytes, "input \"input\": wants 1024 bytes for FP32 [1, 4, 8, 8], got 1020"},
      {RequestOf("conv", {1, 0, 8, 8}, {}),
       "layer \"conv\" (Conv2d): wants in_channels of at least 1, got 0"},
      {RequestOf("conv", {1, 3, 8, 8}, std::vector<float>(192)),
       "layer \"conv\" (Conv2d): wants in_channels divisible by groups 2, got 3"},
      {RequestOf("conv", {1, 4, 2, 8}, std::vector<float>(64)),
       "layer \"conv\" (Conv2d): wants an input of at least 3 where the kernel spans 3, got 2 + 0 "
       "of padding"},
  };
  for (const auto& row : rows) {
    const InferAnswer answer = live_->Infer(row.request);
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << row.error;
    EXPECT_EQ(answer.status.error_message(), row.error);
    EXPECT_EQ(live_->Describe("conv").state(), v1::NETWORK_STATE_LAZY);
  }
  EXPECT_TRUE(live_->Infer("conv", {1, 4, 8, 8}, std::vector<float>(256)).status.ok());
  EXPECT_EQ(live_->Describe("conv").state(), v1::NETWORK_STATE_READY);
}

TEST_F(Inference, AHugeFirstShapeIsRefusedBeforeMemoryIsTaken) {
  const InferAnswer answer = live_->Infer("lazy_mlp", {0, 2'000'000'000}, {});
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("parameter \"fc1.weight\""));
  EXPECT_EQ(live_->Describe("lazy_mlp").state(), v1::NETWORK_STATE_LAZY);
}

TEST_F(Inference, AnEmptyBatchIsAnsweredWithAnEmptyResultAtAnyTime) {
  for (const auto& [model, empty, full] :
       {std::tuple<std::string, std::vector<int64_t>, std::vector<int64_t>>{
            "lazy_mlp", {0, 10}, {2, 10}},
        {"conv", {0, 2, 5, 5}, {2, 2, 5, 5}},
        {"mnist", {0, 1, 28, 28}, {2, 1, 28, 28}}}) {
    for (int round = 0; round < 2; ++round) {
      const InferAnswer answer = live_->Infer(model, empty, {});
      ASSERT_TRUE(answer.status.ok()) << model << ": " << answer.status.error_message();
      EXPECT_EQ(answer.shape()[0], 0);
      ASSERT_EQ(answer.response.raw_output_contents_size(), 1);
      EXPECT_TRUE(answer.response.raw_output_contents(0).empty());
      size_t count = 1;
      for (const int64_t dim : full) count *= static_cast<size_t>(dim);
      EXPECT_TRUE(live_->Infer(model, full, std::vector<float>(count)).status.ok());
    }
  }
}

TEST_F(Inference, NanInGivesNanOut) {
  std::vector<float> image(784, 0.5f);
  image[400] = std::numeric_limits<float>::quiet_NaN();
  const InferAnswer answer = live_->Infer("mnist", {1, 1, 28, 28}, image);
  ASSERT_TRUE(answer.status.ok());
  for (const float logit : answer.floats()) EXPECT_TRUE(std::isnan(logit));
}

TEST_F(Inference, RacingFirstRequestsMaterializeOnce) {
  constexpr int kClients = 24;
  std::vector<std::vector<float>> answers(kClients);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      // Different batch sizes race for the binding as well as equal ones.
      const int64_t batch = 1 + i % 3;
      const InferAnswer answer =
          live_->Infer("lazy_mlp", {batch, 6}, std::vector<float>(size_t(batch) * 6, 0.25f));
      if (answer.status.ok()) answers[size_t(i)] = answer.floats();
    });
  }
  for (std::thread& client : clients) client.join();
  for (const auto& answer : answers) {
    ASSERT_FALSE(answer.empty());
    EXPECT_NEAR(answer[0], answers[0][0], 1e-6);
  }
  EXPECT_EQ(live_->Metric("lazynet_materializations_total{model=\"lazy_mlp\",version=\"1\","
                          "source=\"first_request\",outcome=\"success\"}"),
            1);
  EXPECT_EQ(live_->Metric("lazynet_requests_total{model=\"lazy_mlp\",version=\"1\",code=\"OK\"}"),
            kClients);
}

TEST_F(Inference, EchoesTheIdAndAnswersOnlyTheOutputsAskedFor) {
  auto request = RequestOf("mnist", {1, 1, 28, 28}, std::vector<float>(784));
  request.set_id("request-7");
  request.set_model_version("1");
  request.add_outputs()->set_name("logits");
  const InferAnswer answer = live_->Infer(request);
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.response.id(), "request-7");
  EXPECT_EQ(answer.response.outputs(0).name(), "logits");
  EXPECT_EQ(answer.response.outputs(0).datatype(), "FP32");
  EXPECT_THAT(answer.shape(), ElementsAre(1, 10));
}

TEST_F(Inference, TypedContentsGiveTheSameAnswer) {
  const std::vector<float> values{1, 2, 3, 4};
  auto typed = RequestOf("lazy_mlp", {2, 2}, {});
  typed.clear_raw_input_contents();
  for (const float value : values) {
    typed.mutable_inputs(0)->mutable_contents()->add_fp32_contents(value);
  }
  const InferAnswer raw = live_->Infer("lazy_mlp", {2, 2}, values);
  const InferAnswer other = live_->Infer(typed);
  ASSERT_TRUE(raw.status.ok() && other.status.ok());
  EXPECT_EQ(raw.floats(), other.floats());
}

TEST_F(Inference, UnknownModelsAndVersionsHaveTheirCodes) {
  const auto code = [&](const char* model, const char* version) {
    auto request = RequestOf(model, {1, 2}, {1, 2});
    request.set_model_version(version);
    return live_->Infer(request).status.error_code();
  };
  EXPECT_EQ(code("nobody", ""), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(code("lazy_mlp", "2"), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(code("lazy_mlp", "two"), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(Inference, TraceSettingsMayBeRead) {
  inference::TraceSettingRequest request;
  inference::TraceSettingResponse response;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(live_->inference().TraceSetting(&context, request, &response).ok());
    EXPECT_EQ(response.settings().at("trace_level").value(0), "OFF");
  }
  request.set_model_name("nobody");
  {
    grpc::ClientContext context;
    EXPECT_EQ(live_->inference().TraceSetting(&context, request, &response).error_code(),
              grpc::StatusCode::NOT_FOUND);
  }
  request.set_model_name("mnist");
  (*request.mutable_settings())["trace_level"].add_value("TIMESTAMPS");
  grpc::ClientContext context;
  EXPECT_EQ(live_->inference().TraceSetting(&context, request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(Inference, CallsThatAreCancelledLeaveNothingBehind) {
  const auto request = RequestOf("lazy_mlp", {10, 10}, std::vector<float>(100));
  constexpr int kCalls = 200;
  grpc::CompletionQueue queue;
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    grpc::Status status;
    const auto call = live_->inference().AsyncModelInfer(&context, request, &queue);
    call->Finish(&response, &status, nullptr);
    if (i % 2 == 0) context.TryCancel();
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    if (i % 2 == 1) {
      EXPECT_TRUE(status.ok()) << status.error_message();
    }
  }
  // All that arrived have been answered when the server has ended.
  live_->server().Shutdown(std::chrono::seconds(20));
  EXPECT_EQ(live_->Metric("lazynet_requests_in_flight{model=\"lazy_mlp\",version=\"1\"}"), 0);
}

TEST_F(Inference, AnExpiredDeadlineIsNotComputed) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() - std::chrono::seconds(1));
  inference::ModelInferResponse response;
  const auto request = RequestOf("lazy_mlp", {1, 2}, {1, 2});
  EXPECT_EQ(live_->inference().ModelInfer(&context, request, &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
}

// A plan for all threads takes as long to build as the first, and most shapes of some clients come
// once.
TEST(InferenceWide, AShapeThatComesAgainHasAPlanForAllThreads) {
  testing::TemporaryRepository repository;
  repository.Write("large/network.textproto",
                   R"(layers { name: "fc" linear { out_features: 2048 } })");
  testing::LiveServer live(repository.path(), {.lanes = 2});
  const auto send = [&](int64_t rows) {
    const std::vector<float> values(static_cast<size_t>(rows) * 2048);
    ASSERT_TRUE(live.Infer("large", {rows, 2048}, values).status.ok());
  };
  const auto hosted = *live.server().repository().Find("large", "");
  const auto wide = [&](int64_t rows) {
    return hosted->Find(std::vector<Shape>{{rows, 2048}})->wide;
  };
  send(17);
  send(16);
  send(16);
  while (wide(16) == nullptr) std::this_thread::yield();
  EXPECT_EQ(wide(16)->threads(), 2);
  EXPECT_EQ(wide(17), nullptr);
  send(16);
  EXPECT_EQ(hosted->bound()->plans.size(), 3u);
}

}  // namespace
}  // namespace lazynet
