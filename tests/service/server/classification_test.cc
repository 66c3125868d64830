#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::InferAnswer;
using testing::LiveServer;
using testing::RequestOf;
using testing::TemporaryRepository;

constexpr const char* kTwoOutputs = R"(
    layers { name: "y" relu {} } layers { name: "z" inputs: "input" neg {} }
    outputs { name: "y" layer: "y" } outputs { name: "z" layer: "z" })";
constexpr const char* kLabels = R"(
    labels { output: "y" file: "labels.txt" } labels { output: "z" file: "z.txt" })";

// An element of a BYTES tensor.
std::string Element(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + std::string(3, '\0') + text;
}

class Classification : public ::testing::Test {
 protected:
  Classification() {
    repository_.Write("net/1/network.textproto", kTwoOutputs);
    repository_.Write("net/1/z.txt", "own\n");
    repository_.Write("net/labels.txt", "cat\ndog\n");
    repository_.Write("net/z.txt", "of the model\n");
    repository_.Write("net/serving.textproto", kLabels);
    repository_.Write("bad/network.textproto", kTwoOutputs);
    repository_.Write("bad/serving.textproto", kLabels);
    live_ = std::make_unique<LiveServer>(repository_.path());
  }

  TemporaryRepository repository_;
  std::unique_ptr<LiveServer> live_;
};

TEST_F(Classification, GivesTheBestClassesOfEachItem) {
  auto request = RequestOf("net", {2, 3}, {0.5f, 2, 1, -1, 0, -4});
  auto& y = *request.add_outputs();
  y.set_name("y");
  (*y.mutable_parameters())["classification"].set_int64_param(2);
  auto& z = *request.add_outputs();
  z.set_name("z");
  const InferAnswer plain = live_->Infer(request);
  ASSERT_TRUE(plain.status.ok()) << plain.status.error_message();
  EXPECT_EQ(plain.response.outputs(0).datatype(), "BYTES");
  EXPECT_THAT(plain.shape(0), ElementsAre(2, 2));
  EXPECT_EQ(plain.response.raw_output_contents(0),
            Element("2.000000:1:dog") + Element("1.000000:2") + Element("0.000000:0:cat") +
                Element("0.000000:1:dog"));
  // The other output as it is.
  EXPECT_EQ(plain.response.outputs(1).datatype(), "FP32");
  EXPECT_THAT(plain.floats(1), ElementsAre(-0.5f, -2, -1, 1, 0, 4));
  // A version's own file goes before the model's.
  (*request.mutable_outputs(1)->mutable_parameters())["classification"].set_int64_param(1);
  EXPECT_EQ(live_->Infer(request).response.raw_output_contents(1),
            Element("-0.500000:0:own") + Element("4.000000:2"));
}

TEST_F(Classification, RefusesWhatIsNoNumberOfClasses) {
  auto request = RequestOf("net", {3}, {1, 2, 3});
  request.add_outputs()->set_name("y");
  (*request.mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(-1);
  const InferAnswer answer = live_->Infer(request);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(answer.status.error_message(), "output \"y\": classification wants at least 1, got -1");
}

TEST_F(Classification, LabelsAreShownAndCheckedWhenTheModelIsLoaded) {
  inference::ModelConfigRequest request;
  request.set_name("net");
  inference::ModelConfigResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(live_->inference().ModelConfig(&context, request, &response).ok());
  EXPECT_EQ(response.config().output(0).label_filename(), "labels.txt");
  EXPECT_EQ(response.config().output(1).label_filename(), "z.txt");
  const grpc::Status status = live_->Infer("bad", {1}, {1}).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(),
              HasSubstr("serving: labels of output \"y\": labels.txt: No such file"));
}

}  // namespace
}  // namespace lazynet
