#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LiveServer;
using testing::RequestOf;
using testing::TemporaryRepository;

// Doubles what it is sent.
constexpr const char* kDouble = R"(layers { name: "y" mul { other: 2 } })";

class InferStream : public ::testing::Test {
 protected:
  using Stream =
      grpc::ClientReaderWriter<inference::ModelInferRequest, inference::ModelStreamInferResponse>;

  InferStream() {
    repository_.Write("double/network.textproto", kDouble);
    repository_.Write("sum/network.textproto",
                      R"(layers { name: "fc" linear { out_features: 2 } })");
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  std::unique_ptr<Stream> Open() { return live_->inference().ModelStreamInfer(&context_); }

  static inference::ModelInferRequest Request(const std::string& model, int id) {
    auto request = RequestOf(model, {1, 2}, {static_cast<float>(id), 1});
    request.set_id(std::to_string(id));
    return request;
  }

  static void ExpectDouble(const inference::ModelStreamInferResponse& response, int id) {
    EXPECT_THAT(response.error_message(), IsEmpty());
    const inference::ModelInferResponse& answer = response.infer_response();
    EXPECT_EQ(answer.id(), std::to_string(id));
    EXPECT_EQ(answer.model_name(), "double");
    EXPECT_TRUE(answer.parameters().at("triton_final_response").bool_param());
    ASSERT_EQ(answer.raw_output_contents_size(), 1);
    EXPECT_EQ(*reinterpret_cast<const float*>(answer.raw_output_contents(0).data()),
              static_cast<float>(2 * id));
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
  grpc::ClientContext context_;
};

// The first one of each model takes far longer than those behind it.
TEST_F(InferStream, AnswersComeInTheOrderOfTheRequests) {
  const auto stream = Open();
  constexpr int kRequests = 100;
  std::thread writer([&] {
    for (int id = 0; id < kRequests; ++id) {
      stream->Write(Request(id % 10 == 0 ? "sum" : "double", id));
    }
    stream->WritesDone();
  });
  inference::ModelStreamInferResponse response;
  for (int id = 0; id < kRequests; ++id) {
    ASSERT_TRUE(stream->Read(&response));
    if (id % 10 != 0) {
      ExpectDouble(response, id);
    } else {
      EXPECT_EQ(response.infer_response().model_name(), "sum");
      EXPECT_EQ(response.infer_response().id(), std::to_string(id));
    }
  }
  EXPECT_FALSE(stream->Read(&response));
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(live_->Metric("lazynet_requests_total{model=\"double\",version=\"1\",code=\"OK\"}"),
            kRequests * 9 / 10);
}

TEST_F(InferStream, AnErrorIsTheAnswerToItsRequest) {
  const auto stream = Open();
  stream->Write(Request("double", 1));
  stream->Write(Request("absent", 2));
  auto wrong = Request("double", 3);
  wrong.mutable_inputs(0)->set_name("other");
  stream->Write(wrong);
  stream->Write(Request("double", 4));
  stream->WritesDone();
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ExpectDouble(response, 1);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_THAT(response.error_message(), HasSubstr("absent"));
  EXPECT_EQ(response.infer_response().id(), "2");
  EXPECT_TRUE(response.infer_response().parameters().at("triton_final_response").bool_param());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_THAT(response.error_message(), HasSubstr("other"));
  ASSERT_TRUE(stream->Read(&response));
  ExpectDouble(response, 4);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

// A message cut within a character would be no text, and the whole answer none of protobuf's.
TEST_F(InferStream, AnErrorThatNamesALongNameCanBeRead) {
  const auto stream = Open();
  for (const char* shift : {"", "x"}) {
    auto wrong = Request("double", 1);
    std::string name = shift;
    for (int i = 0; i < 2000; ++i) name += "\u00e9";
    wrong.mutable_inputs(0)->set_name(name);
    stream->Write(wrong);
    inference::ModelStreamInferResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_THAT(response.error_message(), HasSubstr("unknown input"));
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(InferStream, WhoAsksForItGetsAnErrorAsTheStreamsStatus) {
  context_.AddMetadata("triton_grpc_error", "true");
  const auto stream = Open();
  stream->Write(Request("double", 1));
  stream->Write(Request("double", 2));
  stream->Write(Request("absent", 3));
  inference::ModelStreamInferResponse response;
  for (const int id : {1, 2}) {
    ASSERT_TRUE(stream->Read(&response));
    ExpectDouble(response, id);
  }
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("absent"));
}

TEST_F(InferStream, AClientThatGoesAwayLeavesNothingBehind) {
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto stream = live_->inference().ModelStreamInfer(&context);
    for (int id = 0; id < i; ++id) stream->Write(Request("double", id));
    context.TryCancel();
    EXPECT_FALSE(stream->Finish().ok());
  }
  EXPECT_TRUE(live_->Infer("double", {1, 1}, {3}).status.ok());
}

TEST_F(InferStream, AnEmptyStreamEndsWell) {
  const auto stream = Open();
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

// Long before the drain timeout, which is for what is computed.
TEST_F(InferStream, AnIdleStreamDoesNotHoldUpTheServersEnd) {
  const auto stream = Open();
  stream->Write(Request("double", 1));
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  live_->server().Shutdown(std::chrono::seconds(100));
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the server stops");
}

}  // namespace
}  // namespace lazynet
