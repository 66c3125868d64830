#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using testing::LiveServer;
using testing::RequestOf;
using testing::TemporaryRepository;

constexpr const char* kInfer = "inference.GRPCInferenceService/ModelInfer";
constexpr const char* kStream = "inference.GRPCInferenceService/ModelStreamInfer";
constexpr const char* kMetadata = "inference.GRPCInferenceService/ModelMetadata";
constexpr const char* kWatch = "grpc.health.v1.Health/Watch";

// What gRPC's server metrics say of calls to the live server.
class RpcMetrics : public ::testing::Test {
 protected:
  RpcMetrics() {
    repository_.Write("a/network.textproto", "layers { name: \"relu\" relu {} }");
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  double Started(const std::string& method) {
    return live_->Metric("grpc_server_call_started_total{grpc_method=\"" + method + "\"}");
  }
  double Ended(const std::string& method, const std::string& status,
               const std::string& what = "duration_seconds_count") {
    return live_->Metric("grpc_server_call_" + what + "{grpc_method=\"" + method +
                         "\",grpc_status=\"" + status + "\"}");
  }
  double Received(const std::string& method, const std::string& status) {
    return Ended(method, status, "rcvd_total_compressed_message_size_bytes_sum");
  }
  double Sent(const std::string& method, const std::string& status) {
    return Ended(method, status, "sent_total_compressed_message_size_bytes_sum");
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(RpcMetrics, AreThereForEveryMethodBeforeAnyCall) {
  for (const char* method :
       {kInfer, kStream, kMetadata, kWatch, "lazynet.v1.LazyNetworkService/DescribePlan",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "other"}) {
    EXPECT_EQ(Started(method), 0) << method;
    EXPECT_EQ(Ended(method, "OK"), 0) << method;
  }
}

TEST_F(RpcMetrics, FollowModelInfer) {
  const auto request = RequestOf("a", {1, 2}, {1, -1});
  const auto answer = live_->Infer(request);
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(Started(kInfer), 1);
  EXPECT_EQ(Ended(kInfer, "OK"), 1);
  EXPECT_EQ(Received(kInfer, "OK"), request.ByteSizeLong());
  EXPECT_EQ(Sent(kInfer, "OK"), answer.response.ByteSizeLong());

  live_->Infer("nobody", {1}, {1});
  EXPECT_EQ(Started(kInfer), 2);
  EXPECT_EQ(Ended(kInfer, "NOT_FOUND"), 1);
  EXPECT_EQ(Sent(kInfer, "NOT_FOUND"), 0);
}

TEST_F(RpcMetrics, FollowModelStreamInferAsOneCall) {
  grpc::ClientContext context;
  const auto stream = live_->inference().ModelStreamInfer(&context);
  const auto request = RequestOf("a", {1, 2}, {1, -1});
  double sent = 0;
  for (int i = 0; i < 3; ++i) {
    inference::ModelStreamInferResponse response;
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    sent += static_cast<double>(response.ByteSizeLong());
  }
  EXPECT_EQ(Started(kStream), 1);
  EXPECT_EQ(Ended(kStream, "OK"), 0);
  stream->WritesDone();
  ASSERT_TRUE(stream->Finish().ok());
  EXPECT_EQ(Ended(kStream, "OK"), 1);
  EXPECT_EQ(Received(kStream, "OK"), 3 * static_cast<double>(request.ByteSizeLong()));
  EXPECT_GE(Sent(kStream, "OK"), sent);  // the bytes, which may repeat a field, not the message
}

TEST_F(RpcMetrics, FollowTypedMethods) {
  inference::ModelMetadataRequest request;
  request.set_name("a");
  inference::ModelMetadataResponse response;
  grpc::ClientContext first, second;
  ASSERT_TRUE(live_->inference().ModelMetadata(&first, request, &response).ok());
  EXPECT_EQ(Started(kMetadata), 1);
  EXPECT_EQ(Ended(kMetadata, "OK"), 1);
  EXPECT_EQ(Received(kMetadata, "OK"), request.ByteSizeLong());
  EXPECT_EQ(Sent(kMetadata, "OK"), response.ByteSizeLong());
  request.set_name("nobody");
  ASSERT_FALSE(live_->inference().ModelMetadata(&second, request, &response).ok());
  EXPECT_EQ(Ended(kMetadata, "NOT_FOUND"), 1);
  EXPECT_EQ(Ended(kMetadata, "OK"), 1);
}

TEST_F(RpcMetrics, FollowAWatchUntilItEnds) {
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse response;
  const auto watch = live_->health().Watch(&context, request);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(Started(kWatch), 1);
  live_->server().Shutdown(std::chrono::seconds(30));
  while (watch->Read(&response)) {
  }
  watch->Finish();
  EXPECT_EQ(Ended(kWatch, "UNAVAILABLE"), 1);
}

TEST_F(RpcMetrics, CallUnknownMethodsOther) {
  grpc::GenericStub stub(live_->channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, "/no.Such/Method", request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Started("other"), 1);
  EXPECT_EQ(Ended("other", "UNIMPLEMENTED"), 1);
}

}  // namespace
}  // namespace lazynet
