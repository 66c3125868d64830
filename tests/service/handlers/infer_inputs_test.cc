#include "service/handlers/infer_inputs.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "service/handlers/infer_codec.h"
#include "tests/support/definitions.h"

namespace lazynet::handlers {
namespace {

using inference::ModelInferRequest;
using testing::DefinitionOf;
using testing::LayerOf;

std::shared_ptr<const nn::Network> TwoInputs() {
  nn::NetworkDefinition definition = DefinitionOf({LayerOf("sum", "Add", {}, {"a", "b"})});
  definition.inputs = {{.name = "a"}, {.name = "b"}};
  definition.outputs = {{"sum", "sum"}, {"echo", "a"}};
  return testing::NetworkOf(definition);
}

// A right request: a [2] raw, b [1] raw.
ModelInferRequest Right() {
  ModelInferRequest message;
  for (const char* name : {"b", "a"}) {
    auto& input = *message.add_inputs();
    input.set_name(name);
    input.set_datatype("FP32");
  }
  message.mutable_inputs(0)->add_shape(1);
  message.mutable_inputs(1)->add_shape(2);
  message.add_raw_input_contents(std::string("\0\0\x80\x3f", 4));
  message.add_raw_input_contents(std::string("\0\0\0\x40\0\0\x40\x40", 8));
  return message;
}

ModelInferRequest RightTyped() {
  ModelInferRequest message = Right();
  message.clear_raw_input_contents();
  message.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  message.mutable_inputs(1)->mutable_contents()->add_fp32_contents(2);
  message.mutable_inputs(1)->mutable_contents()->add_fp32_contents(3);
  return message;
}

std::unique_ptr<InferRequest> Decode(const ModelInferRequest& message) {
  const grpc::Slice slice(message.SerializeAsString());
  auto request = std::make_unique<InferRequest>();
  LAZYNET_CHECK(DecodeInferRequest(grpc::ByteBuffer(&slice, 1), *request).ok());
  return request;
}

absl::Status Check(const ModelInferRequest& message) {
  return CheckRequest(*TwoInputs(), *Decode(message)).status();
}

TEST(InferInputs, GathersRawAndTypedContentsInTheNetworksOrder) {
  for (const ModelInferRequest& message : {Right(), RightTyped()}) {
    const auto network = TwoInputs();
    const auto request = Decode(message);
    const auto checked = CheckRequest(*network, *request);
    ASSERT_TRUE(checked.ok()) << checked.status();
    EXPECT_EQ(checked->outputs, (CheckedRequest::Places{0, 1}));
    ASSERT_EQ(checked->shapes, (std::vector<Shape>{{2}, {1}}));
    for (const size_t input : {0, 1}) {
      Tensor tensor = *Tensor::Allocate(DType::kFp32, checked->shapes[input]);
      ASSERT_TRUE(GatherInput(*network, input, *request, *checked, tensor.mutable_view()).ok());
      EXPECT_EQ(tensor.values<float>().back(), input == 0 ? 3.0f : 1.0f);
    }
  }
}

TEST(InferInputs, RequestedOutputsComeInTheirOrder) {
  ModelInferRequest message = Right();
  message.add_outputs()->set_name("echo");
  message.add_outputs()->set_name("sum");
  const auto request = Decode(message);
  EXPECT_EQ(CheckRequest(*TwoInputs(), *request)->outputs, (CheckedRequest::Places{1, 0}));
}

TEST(InferInputs, RefusesEveryKindOfWrongRequest) {
  using Change = std::function<void(ModelInferRequest&)>;
  const struct {
    Change change;
    const char* error;
  } rows[] = {
      {[](auto& m) { m.mutable_inputs()->RemoveLast(); },
       "input \"a\" is missing: wants 2 inputs, got 1"},
      {[](auto& m) { m.mutable_inputs(1)->set_name("c"); },
       "unknown input \"c\": the network has a, b"},
      {[](auto& m) { m.mutable_inputs(1)->set_name("b"); }, "input \"b\" is there twice"},
      {[](auto& m) { m.mutable_inputs(1)->set_datatype("INT64"); },
       "input \"a\": wants datatype FP32, got \"INT64\""},
      {[](auto& m) { m.mutable_inputs(1)->set_datatype("float"); },
       "input \"a\": wants datatype FP32, got \"float\""},
      {[](auto& m) { m.mutable_inputs(1)->set_shape(0, -1); },
       "input \"a\": wants dims from 0 to 2147483647, got -1 in [-1]"},
      {[](auto& m) { m.mutable_inputs(1)->set_shape(0, 3); },
       "input \"a\": wants 12 bytes for FP32 [3], got 8"},
      {[](auto& m) {
         for (int i = 0; i < 12; ++i) m.mutable_inputs(1)->add_shape(1);
       },
       "input \"a\": wants a rank of at most 12, got 13"},
      {[](auto& m) { m.add_raw_input_contents("more"); },
       "wants one raw_input_contents entry for each of the 2 inputs, got 3"},
      {[](auto& m) { m.mutable_raw_input_contents()->RemoveLast(); },
       "wants one raw_input_contents entry for each of the 2 inputs, got 1"},
      {[](auto& m) { m.mutable_inputs(1)->mutable_contents()->add_fp32_contents(1); },
       "input \"a\": wants raw or typed contents, got both"},
      {[](auto& m) { m.clear_raw_input_contents(); },
       "input \"a\": wants 2 elements for shape [2], got 0"},
      {[](auto& m) {
         m.clear_raw_input_contents();
         m.mutable_inputs(1)->mutable_contents()->add_int64_contents(1);
       },
       "input \"a\": wants its contents in fp32_contents, got another field"},
      {[](auto& m) { m.add_outputs()->set_name("x"); }, "unknown output \"x\""},
      {[](auto& m) {
         m.add_outputs()->set_name("sum");
         m.add_outputs()->set_name("sum");
       },
       "output \"sum\" is asked for twice"},
  };
  for (const auto& row : rows) {
    ModelInferRequest message = Right();
    row.change(message);
    const absl::Status status = Check(message);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.error;
    EXPECT_EQ(Message(status), row.error);
  }
}

TEST(InferInputs, WithoutSharedMemoryItIsNotServed) {
  ModelInferRequest message = Right();
  auto& region = (*message.mutable_inputs(1)->mutable_parameters())["shared_memory_region"];
  region.set_string_param("r");
  EXPECT_EQ(Check(message).code(), absl::StatusCode::kUnimplemented);
}

TEST(InferInputs, ReadsHowOutputsAreToBeDelivered) {
  ModelInferRequest message = Right();
  message.add_outputs()->set_name("echo");
  auto& output = *message.add_outputs();
  output.set_name("sum");
  (*output.mutable_parameters())["classification"].set_int64_param(3);
  const auto request = Decode(message);
  const auto checked = CheckRequest(*TwoInputs(), *request);
  ASSERT_TRUE(checked.ok()) << checked.status();
  ASSERT_EQ(checked->deliveries.size(), 2u);
  EXPECT_EQ(checked->deliveries[0].classes, 0);
  EXPECT_EQ(checked->deliveries[1].classes, 3);
  EXPECT_FALSE(checked->deliveries[1].region);
}

}  // namespace
}  // namespace lazynet::handlers
