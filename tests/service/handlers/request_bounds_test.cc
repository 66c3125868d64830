// Messages of few bytes whose parts would be many, through the decoder that asks the bounds.

#include "service/handlers/request_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "engine/core/status.h"
#include "service/handlers/infer_codec.h"

namespace lazynet::handlers {
namespace {

using ::testing::HasSubstr;
using Request = inference::ModelInferRequest;

constexpr size_t kBytes = RequestBounds::kMostBytes;
constexpr size_t kTensors = RequestBounds::kMostTensors;

absl::Status Decode(const std::string& text) {
  const grpc::Slice slice(text);
  InferRequest request;
  return DecodeInferRequest(grpc::ByteBuffer(&slice, 1), request);
}
absl::Status Decode(const Request& request) { return Decode(request.SerializeAsString()); }

std::string Repeat(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

// A length-delimited field.
std::string Field(uint32_t number, const std::string& value) {
  std::string text;
  AppendTag(text, number, WireType::kLength);
  AppendVarint(text, value.size());
  return text + value;
}

TEST(RequestBounds, TensorsAreCounted) {
  for (const uint32_t field : {5u, 6u, 7u}) {
    EXPECT_TRUE(Decode(Repeat(Field(field, ""), kTensors)).ok()) << field;
    const absl::Status status = Decode(Repeat(Field(field, ""), kTensors + 1));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(std::string(Message(status)), HasSubstr("wants at most 4096 ")) << field;
  }
}

TEST(RequestBounds, NumbersOfTensorsMayBeMany) {
  Request request;
  request.add_raw_input_contents(std::string(4 * kBytes, 'x'));
  EXPECT_TRUE(Decode(request).ok());
  request.clear_raw_input_contents();
  auto& contents = *request.add_inputs()->mutable_contents();
  contents.mutable_fp32_contents()->Resize(static_cast<int>(kBytes), 1.0f);
  contents.mutable_int64_contents()->Resize(static_cast<int>(kBytes), -1);
  EXPECT_TRUE(Decode(request).ok());
}

TEST(RequestBounds, WhateverElseThereIsOfItIsBounded) {
  const auto with = [](const std::function<void(Request&)>& fill) {
    Request request;
    fill(request);
    return request;
  };
  const int many = static_cast<int>(kBytes) + 1;
  const Request large[] = {
      with([&](Request& r) { r.set_model_name(std::string(kBytes, 'm')); }),
      with([&](Request& r) { r.set_id(std::string(kBytes, 'i')); }),
      with([&](Request& r) { r.add_inputs()->set_name(std::string(kBytes, 'n')); }),
      with([&](Request& r) { r.add_inputs()->mutable_shape()->Resize(many, 1); }),
      with([&](Request& r) { r.add_outputs()->set_name(std::string(kBytes, 'o')); }),
      with([&](Request& r) {
        (*r.mutable_parameters())["p"].set_string_param(std::string(kBytes, 's'));
      }),
      with([&](Request& r) {
        (*r.add_inputs()->mutable_parameters())["p"].set_string_param(std::string(kBytes, 's'));
      }),
      with([&](Request& r) {
        auto& contents = *r.add_inputs()->mutable_contents();
        for (int i = 0; i <= many / 2; ++i) contents.add_bytes_contents();
      }),
  };
  for (const Request& request : large) {
    const absl::Status status = Decode(request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(Message(status)),
                HasSubstr("wants at most 1048576 bytes beside the numbers of tensors"));
  }
  EXPECT_FALSE(Decode(Field(1000, std::string(kBytes, 'u'))).ok());  // a field nobody knows
  EXPECT_TRUE(Decode(Field(1000, std::string(kBytes / 2, 'u'))).ok());
}

// The parser keeps each field that it does not know, at many times its bytes.
TEST(RequestBounds, UnknownFieldsOfAnyWireTypeAreBounded) {
  const std::string kinds[] = {
      "\x40\x01",  // a varint
      "\x43\x44",  // an empty group
      "\x45"
      "abcd",  // four bytes
      "\x41"
      "abcdefgh",                  // eight
      std::string("\x42\x00", 2),  // a text
      "\x30\x01",                  // floats, as a varint
  };
  for (const std::string& kind : kinds) {
    const std::string many = Repeat(kind, kBytes / kind.size() + 1);
    for (const std::string& text : {many, Field(5, many), Field(5, Field(5, many))}) {
      const absl::Status status = Decode(text);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << kind;
      EXPECT_THAT(std::string(Message(status)), HasSubstr("beside the numbers of tensors")) << kind;
    }
  }
}

TEST(RequestBounds, NumbersNeedNotBePacked) {
  const std::string varints = Repeat("\x08\x01\x10\x01\x18\x01\x20\x01\x28\x01", kBytes / 4);
  EXPECT_TRUE(Decode(Field(5, Field(5, varints))).ok());
  const std::string floats = Repeat(
      "\x35"
      "abcd",
      kBytes / 4);
  EXPECT_TRUE(Decode(Field(5, Field(5, floats))).ok());
}

TEST(RequestBounds, TheBoundIsThatOfAllPartsTogether) {
  Request request;
  for (int i = 0; i < 4; ++i) request.add_inputs()->set_name(std::string(kBytes / 3, 'n'));
  EXPECT_FALSE(Decode(request).ok());
  request.mutable_inputs()->DeleteSubrange(0, 2);
  EXPECT_TRUE(Decode(request).ok());
}

TEST(RequestBounds, WhatIsNoMessageIsStillTheParsersToRefuse) {
  std::string text;
  for (const std::string& input :
       {std::string("\x08"), std::string("\x0a\x7f"), std::string("\x0d\x01"),
        std::string("\x2a\x02\x42\x7f"), std::string("\x0b")}) {
    const absl::Status status = Decode(Field(5, input));
    EXPECT_EQ(Message(status), "the request is no ModelInferRequest");
  }
}

}  // namespace
}  // namespace lazynet::handlers
