#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/service/support/captured_log.h"
#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using testing::CapturedLog;
using testing::LiveServer;
using testing::RequestOf;
using ::testing::SizeIs;
using testing::TemporaryRepository;

constexpr const char* kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::vector<nlohmann::json> Requests(const CapturedLog& log) {
  std::vector<nlohmann::json> lines;
  for (const std::string& text : log.Lines()) {
    lines.push_back(nlohmann::json::parse(text));
    if (lines.back()["message"] != "request") lines.pop_back();
  }
  return lines;
}

TEST(RequestLog, TellsOfCallsAndOfRequestsInStreams) {
  TemporaryRepository repository;
  repository.Write("mlp/network.textproto", "layers { name: \"fc\" linear { out_features: 2 } }");
  const CapturedLog log(logging::Format::kJson, spdlog::level::debug);
  {
    LiveServer live(repository.path());
    auto request = RequestOf("mlp", {3, 4}, std::vector<float>(12));
    request.set_id("first");
    grpc::ClientContext context, stream_context;
    context.AddMetadata("traceparent", kTraceparent);
    inference::ModelInferResponse response;
    ASSERT_TRUE(live.inference().ModelInfer(&context, request, &response).ok());

    stream_context.AddMetadata("traceparent", "00-of-no-use");
    request.set_id("second");
    request.set_model_name("nobody");
    const auto stream = live.inference().ModelStreamInfer(&stream_context);
    inference::ModelStreamInferResponse answer;
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&answer));
    stream->WritesDone();
    ASSERT_TRUE(stream->Finish().ok());
  }
  const auto lines = Requests(log);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]["request_id"], "first");
  EXPECT_EQ(lines[0]["model"], "mlp");
  EXPECT_EQ(lines[0]["version"], "1");
  EXPECT_EQ(lines[0]["code"], "OK");
  EXPECT_EQ(lines[0]["items"], 3);
  EXPECT_EQ(lines[0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(lines[0]["span_id"], "b7ad6b7169203331");
  EXPECT_GT(lines[0]["build_us"], 0);  // the first one waits for the parameters
  EXPECT_GE(lines[0]["total_us"], lines[0]["build_us"]);
  EXPECT_EQ(lines[1]["request_id"], "second");
  EXPECT_EQ(lines[1]["model"], "nobody");
  EXPECT_EQ(lines[1]["code"], "NOT_FOUND");
  EXPECT_FALSE(lines[1].contains("trace_id"));
}

TEST(RequestLog, ARefusedLoadHasOneLine) {
  TemporaryRepository repository;
  repository.Write("mlp/network.textproto", "layers { name: \"fc\" linear { out_features: 2 } }");
  const CapturedLog log(logging::Format::kText, spdlog::level::info);
  {
    LiveServer live(repository.path());
    repository.Write("mlp/network.textproto", "layers { name: \"fc\" linear {} }");
    const auto admin = inference::GRPCInferenceService::NewStub(live.AdminChannel());
    inference::RepositoryModelLoadRequest request;
    request.set_model_name("mlp");
    inference::RepositoryModelLoadResponse response;
    grpc::ClientContext admin_context, other_context;
    ASSERT_FALSE(admin->RepositoryModelLoad(&admin_context, request, &response).ok());
    // Who may not load anything cannot fill the log either.
    ASSERT_FALSE(live.inference().RepositoryModelLoad(&other_context, request, &response).ok());
  }
  ASSERT_THAT(log.Lines(), SizeIs(1));
  EXPECT_THAT(log.Lines()[0],
              ::testing::HasSubstr("error load refused model=mlp code=FAILED_PRECONDITION error="));
  EXPECT_THAT(log.Lines()[0], ::testing::HasSubstr("out_features is missing"));
}

}  // namespace
}  // namespace lazynet
