#include "service/handlers/infer_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace lazynet::handlers {
namespace {

// The message as gRPC may hand it over: cut into pieces at the given places.
grpc::ByteBuffer Pieces(const std::string& bytes, const std::vector<size_t>& cuts) {
  std::vector<grpc::Slice> slices;
  size_t begin = 0;
  for (const size_t cut : cuts) {
    slices.emplace_back(bytes.substr(begin, cut - begin));
    begin = cut;
  }
  slices.emplace_back(bytes.substr(begin));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

std::string RawOf(const InferRequest& request, size_t i) {
  const auto& raw = request.raw_contents[i];
  std::string bytes(raw.bytes, '\0');
  raw.reader.Peek(reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
  return bytes;
}

// What the codec saw, put together again as one message.
std::optional<std::string> Decoded(const grpc::ByteBuffer& bytes) {
  InferRequest request;
  if (!DecodeInferRequest(bytes, request).ok()) return std::nullopt;
  for (size_t i = 0; i < request.raw_contents.size(); ++i) {
    request.message.add_raw_input_contents(RawOf(request, i));
  }
  return request.message.SerializeAsString();
}

std::optional<std::string> Parsed(const std::string& bytes) {
  inference::ModelInferRequest message;
  if (!message.ParseFromString(bytes)) return std::nullopt;
  return message.SerializeAsString();
}

inference::ModelInferRequest Example() {
  inference::ModelInferRequest message;
  message.set_model_name("mnist");
  message.set_id("42");
  auto& input = *message.add_inputs();
  input.set_name("input");
  input.set_datatype("FP32");
  input.add_shape(2);
  input.add_shape(3);
  (*input.mutable_parameters())["p"].set_int64_param(7);
  message.add_outputs()->set_name("logits");
  message.add_raw_input_contents(std::string(24, 'x'));
  message.add_raw_input_contents("");
  message.add_raw_input_contents(std::string(300, 'y'));
  return message;
}

TEST(InferCodec, LeavesRawContentsWhereTheyLie) {
  const std::string bytes = Example().SerializeAsString();
  InferRequest request;
  ASSERT_TRUE(DecodeInferRequest(Pieces(bytes, {}), request).ok());
  EXPECT_EQ(request.message.model_name(), "mnist");
  EXPECT_EQ(request.message.raw_input_contents_size(), 0);
  ASSERT_EQ(request.raw_contents.size(), 3u);
  EXPECT_EQ(RawOf(request, 0), std::string(24, 'x'));
  EXPECT_EQ(RawOf(request, 2), std::string(300, 'y'));
}

TEST(InferCodec, ReadsMessagesHoweverTheyAreCut) {
  const std::string bytes = Example().SerializeAsString();
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(Decoded(Pieces(bytes, {cut})), Parsed(bytes)) << cut;
    EXPECT_EQ(Decoded(Pieces(bytes, {cut / 2, cut, cut})), Parsed(bytes)) << cut;
  }
}

TEST(InferCodec, AgreesWithProtobufOnEveryTruncation) {
  const std::string bytes = Example().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    EXPECT_EQ(Decoded(Pieces(part, {})), Parsed(part)) << size;
  }
}

// Random changes of a right message: unknown fields, groups, wrong lengths, bad tags.
TEST(InferCodec, AgreesWithProtobufOnDamagedMessages) {
  const std::string bytes = Example().SerializeAsString();
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = bytes.substr(0, 40 + random() % (bytes.size() - 40));
    const size_t changes = 1 + random() % 4;
    for (size_t i = 0; i < changes; ++i) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    ASSERT_EQ(Decoded(Pieces(damaged, {damaged.size() / 3})), Parsed(damaged)) << round;
  }
}

TEST(InferCodec, AgreesWithProtobufOnOddEncodings) {
  const std::string name = "\x0a\x01m";
  const struct {
    const char* what;
    std::string bytes;
  } rows[] = {
      {"nothing", ""},
      {"a group of an unknown field", name + "\x53\x3a\x01z\x54"},
      {"a group that does not end", name + "\x53\x08\x01"},
      {"a group that ends as another", name + "\x53\x5c"},
      {"an end without a group", name + "\x54"},
      {"field 0", std::string("\x00\x01", 2)},
      {"raw contents of another wire type", "\x38\x05"},
      {"a tag that is longer than it needs", std::string("\xba\x80\x80\x80\x00\x01z", 7)},
      {"a tag of more than 32 bits", std::string("\xba\xff\xff\xff\xff\x01\x01z", 8)},
      {"a tag of 33 bits", "\xba\x80\x80\x80\x10\x01z"},
      {"a tag of six bytes", std::string("\xba\x80\x80\x80\x80\x00\x01z", 8)},
      {"a length of six bytes", std::string("\x3a\x81\x80\x80\x80\x80\x00z", 8)},
      {"a length of five bytes", std::string("\x3a\x81\x80\x80\x80\x00z", 7)},
      {"a length beyond the end", "\x3a\x05z"},
      {"a length of 2^64-1", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z"},
      {"a varint that does not end", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
      {"text that is no UTF-8", "\x0a\x01\xff"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Decoded(Pieces(row.bytes, {})), Parsed(row.bytes)) << row.what;
  }
}

TEST(InferCodec, ResponsesAreWhatProtobufWouldWrite) {
  inference::ModelInferResponse message;
  message.set_model_name("mnist");
  message.set_id("42");
  message.add_outputs()->set_name("logits");
  Tensor full = *Tensor::Allocate(DType::kFp32, Shape{3});
  const auto values = full.mutable_view().values<float>();
  std::fill(values.begin(), values.end(), 1.5f);
  const Tensor empty = *Tensor::Allocate(DType::kFp32, Shape{0, 3});
  grpc::ByteBuffer buffer;
  EncodeInferResponse(message, std::vector<Tensor>{full, empty, full}, buffer);
  full = Tensor();  // the message keeps the elements alive

  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const auto& slice : slices) bytes.append(slice.begin(), slice.end());
  message.add_raw_output_contents(std::string("\0\0\xc0\x3f\0\0\xc0\x3f\0\0\xc0\x3f", 12));
  message.add_raw_output_contents("");
  message.add_raw_output_contents(message.raw_output_contents(0));
  EXPECT_EQ(bytes, message.SerializeAsString());
}

}  // namespace
}  // namespace lazynet::handlers
