// Each limit of a connection at work.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/service/support/live_server.h"
#include "tests/service/support/raw_call.h"
#include "tests/service/support/raw_stream.h"
#include "tests/service/support/silent_client.h"

namespace lazynet {
namespace {

using grpc::health::v1::HealthCheckResponse;
using std::chrono::system_clock;
using ::testing::HasSubstr;
using testing::LiveServer;
using testing::SilentClient;
using testing::TemporaryRepository;
using Watch = std::unique_ptr<grpc::ClientReader<HealthCheckResponse>>;

// For what has to happen; it comes sooner.
const auto kForever = std::chrono::minutes(10);

class ConnectionLimitsTest : public ::testing::Test {
 protected:
  LiveServer& Start() {
    live_ = std::make_unique<LiveServer>(repository_.path(), config_);
    return *live_;
  }

  std::shared_ptr<grpc::Channel> Connect(grpc::ChannelArguments arguments = {}) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(live_->server().grpc_port()),
                                     grpc::InsecureChannelCredentials(), arguments);
  }

  // A call that goes on, and has been answered once.
  static Watch StartWatch(const std::shared_ptr<grpc::Channel>& channel,
                          grpc::ClientContext& context) {
    auto watch = grpc::health::v1::Health::NewStub(channel)->Watch(&context, {});
    HealthCheckResponse response;
    EXPECT_TRUE(watch->Read(&response));
    return watch;
  }

  static grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel,
                          std::chrono::milliseconds time = kForever) {
    grpc::ClientContext context;
    context.set_deadline(system_clock::now() + time);
    inference::ServerLiveResponse response;
    return inference::GRPCInferenceService::NewStub(channel)->ServerLive(&context, {}, &response);
  }

  TemporaryRepository repository_;
  config::ServerConfig config_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(ConnectionLimitsTest, CallsBeyondTheMostStreamsWaitAtTheClient) {
  config_.connections.max_streams = 2;
  Start();
  const auto channel = Connect();
  grpc::ClientContext first_context, second_context;
  const Watch first = StartWatch(channel, first_context);
  const Watch second = StartWatch(channel, second_context);
  EXPECT_EQ(Ask(channel, std::chrono::milliseconds(300)).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Ask(Connect()).ok());
  first_context.TryCancel();
  EXPECT_EQ(first->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Ask(channel).ok());
  second_context.TryCancel();
  second->Finish();
}

TEST_F(ConnectionLimitsTest, StreamsBeyondTheMostThreadsAreRefusedAndInferenceIsNot) {
  repository_.Write("m/network.textproto", "layers { name: \"y\" relu {} }");
  config_.connections.max_call_threads = 8;
  Start();
  const auto channel = Connect();
  std::vector<std::unique_ptr<testing::RawStream>> streams;
  size_t answered = 0;
  for (int i = 0; i < 50; ++i) {
    auto stream = std::make_unique<testing::RawStream>(channel, testing::kReflection);
    if (stream->Write(testing::kListServices) && stream->Read()) {
      ++answered;
      streams.push_back(std::move(stream));
    } else {
      EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    }
  }
  EXPECT_GE(answered, 1u);
  EXPECT_LE(answered, 8u);
  EXPECT_TRUE(live_->Infer("m", {1}, {1}).status.ok());
  for (const auto& stream : streams) {
    stream->context().TryCancel();
    stream->Finish();
  }
}

TEST_F(ConnectionLimitsTest, AClientThatPingsTooOftenIsSentAway) {
  config_.connections.min_ping_interval_seconds = 3600;
  Start();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 50);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  grpc::ClientContext context;
  const Watch watch = StartWatch(Connect(arguments), context);
  HealthCheckResponse response;
  EXPECT_FALSE(watch->Read(&response));
  const grpc::Status status = watch->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("Too many pings"));
}

TEST_F(ConnectionLimitsTest, AConnectionWithoutCallsIsClosedAndOneWithACallIsNot) {
  config_.connections.max_idle_seconds = 1;
  Start();
  const auto busy = Connect();
  grpc::ClientContext context;
  const Watch watch = StartWatch(busy, context);
  const auto idle = Connect();
  ASSERT_TRUE(Ask(idle).ok());
  EXPECT_TRUE(idle->WaitForStateChange(GRPC_CHANNEL_READY, system_clock::now() + kForever));
  EXPECT_EQ(busy->GetState(false), GRPC_CHANNEL_READY);
  EXPECT_TRUE(Ask(idle).ok());  // it connects again
  context.TryCancel();
  watch->Finish();
}

TEST_F(ConnectionLimitsTest, AnOldConnectionIsClosedWhenItsCallsHadTheirTime) {
  config_.connections.max_age_seconds = 1;
  config_.drain_timeout_seconds = 0;
  Start();
  grpc::ClientContext context;
  const Watch watch = StartWatch(Connect(), context);
  HealthCheckResponse response;
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_FALSE(watch->Finish().ok());
}

TEST_F(ConnectionLimitsTest, AClientThatGivesNoSignOfLifeIsCutOff) {
  config_.connections.keepalive_seconds = 1;
  config_.connections.keepalive_timeout_seconds = 1;
  Start();
  const auto lively = Connect();
  grpc::ClientContext context;
  const Watch watch = StartWatch(lively, context);
  SilentClient silent(live_->server().grpc_port());
  // A ping: eight bytes, type 6.
  EXPECT_THAT(silent.ReadAll(), HasSubstr(std::string("\0\0\x08\x06", 4)));
  EXPECT_EQ(lively->GetState(false), GRPC_CHANNEL_READY);
  context.TryCancel();
  watch->Finish();
}

TEST_F(ConnectionLimitsTest, AMessageBeyondTheLimitIsRefusedAlsoWhenItIsCompressed) {
  repository_.Write("m/network.textproto", "layers { name: \"y\" relu {} }");
  config_.max_message_bytes = 1 << 20;
  Start();
  const auto stub = inference::GRPCInferenceService::NewStub(Connect());
  const auto send = [&](size_t elements, grpc_compression_algorithm compression) {
    grpc::ClientContext context;
    context.set_compression_algorithm(compression);
    inference::ModelInferResponse response;
    const auto request =
        testing::RequestOf("m", {static_cast<int64_t>(elements)}, std::vector<float>(elements));
    return stub->ModelInfer(&context, request, &response).error_code();
  };
  constexpr size_t kFits = 250'000;
  for (const auto compression : {GRPC_COMPRESS_NONE, GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    EXPECT_EQ(send(kFits, compression), grpc::StatusCode::OK);
    EXPECT_EQ(send(4 * kFits, compression), grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
}

TEST_F(ConnectionLimitsTest, AnswersAreCompressedForClientsThatTakeThat) {
  repository_.Write("m/network.textproto", "layers { name: \"y\" relu {} }");
  config_.response_compression = "high";
  LiveServer& live = Start();
  const auto request = testing::RequestOf("m", {10'000}, std::vector<float>(10'000));
  // Of the answer as it comes, which the client leaves as it is.
  const auto length_for = [&](int algorithms) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, algorithms);
    const grpc::Slice bytes(request.SerializeAsString());
    grpc::ByteBuffer response;
    const grpc::Status status =
        testing::CallRaw(Connect(arguments), "/inference.GRPCInferenceService/ModelInfer",
                         grpc::ByteBuffer(&bytes, 1), response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.Length();
  };
  EXPECT_GT(length_for(1 << GRPC_COMPRESS_NONE), 40'000u);
  EXPECT_LT(length_for(1 << GRPC_COMPRESS_NONE | 1 << GRPC_COMPRESS_GZIP), 1'000u);
  EXPECT_EQ(live.Infer(request).response.raw_output_contents(0), std::string(40'000, '\0'));
}

// Eight kilobytes of gzip can be a megabyte that waits.
TEST_F(ConnectionLimitsTest, WhatWaitsInflatedOrParsedIsBounded) {
  repository_.Write("fours/network.textproto", "layers { name: \"y\" relu {} }");
  repository_.Write("fours/serving.textproto",
                    "batching { max_batch_size: 4 max_delay_microseconds: 60000000 }");
  config_.connections.memory_bytes = 1 << 20;
  LiveServer& live = Start();
  const auto request = testing::RequestOf("fours", {1, 200'000}, std::vector<float>(200'000));
  grpc::ClientContext waits;
  waits.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  auto waiting = std::async(std::launch::async, [&] {
    inference::ModelInferResponse response;
    return live.inference().ModelInfer(&waits, request, &response).error_code();
  });
  while (live.Metric("lazynet_queue_depth") != 1) std::this_thread::yield();
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  inference::ModelInferResponse response;
  const grpc::Status inflated = live.inference().ModelInfer(&context, request, &response);
  EXPECT_EQ(inflated.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(inflated.error_message(), HasSubstr("too many large requests wait"));
  auto typed = testing::RequestOf("fours", {1, 100'000}, {});
  typed.clear_raw_input_contents();
  auto& numbers = *typed.mutable_inputs(0)->mutable_contents()->mutable_fp32_contents();
  numbers.Resize(100'000, 1);
  const grpc::Status parsed = live.Infer(typed).status;
  EXPECT_EQ(parsed.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(parsed.error_message(), HasSubstr("too many large requests wait"));
  // What waits no more holds nothing.
  waits.TryCancel();
  EXPECT_EQ(waiting.get(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace lazynet
