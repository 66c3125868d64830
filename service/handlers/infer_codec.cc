#include "service/handlers/infer_codec.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "engine/core/status.h"
#include "service/handlers/request_bounds.h"

namespace lazynet::handlers {
namespace {

// Of an answer that is the last one of its request.
constexpr const char* kFinal = "triton_final_response";

constexpr uint32_t kRawInputContents = 7;
constexpr uint32_t kUnknown = 0;
constexpr uint32_t kRawOutputContents = 6;
// That a small message comes in.
constexpr size_t kFewSlices = 2;

constexpr int kMaxGroupDepth = 100;  // protobuf's own limit for nesting

// Copies the value of a field of a fixed length or a varint; false when the bytes end too early.
bool CopyValue(SliceReader& reader, WireType type, std::string& rest) {
  switch (type) {
    case WireType::kVarint: {
      const auto value = reader.Varint();
      if (!value) return false;
      AppendVarint(rest, *value);
      return true;
    }
    case WireType::kFixed64:
      return reader.AppendTo(rest, 8);
    case WireType::kFixed32:
      return reader.AppendTo(rest, 4);
    default:
      return false;
  }
}

absl::Status NoRequest() { return InvalidArgument("the request is no ModelInferRequest"); }

// Reads fields until the end. Raw contents are noted, all else is copied for protobuf's parser.
absl::Status Split(SliceReader reader, InferRequest::AllRawContents& raw, std::string& rest) {
  RequestBounds bounds;
  int depth = 0;  // of unknown groups
  while (reader.remaining() > 0) {
    const size_t start = reader.remaining();
    const auto tag = reader.Tag();
    if (!tag || tag->field == 0) return NoRequest();
    const auto [field, type] = *tag;
    if (type == WireType::kLength) {
      const auto length = reader.Length();
      if (!length) return NoRequest();
      RETURN_IF_ERROR(bounds.Count(depth == 0 ? field : kUnknown, reader, *length));
      if (depth == 0 && field == kRawInputContents) {
        raw.push_back({reader, *length});
        reader.Skip(*length);
      } else {
        AppendTag(rest, field, type);
        AppendVarint(rest, *length);
        reader.AppendTo(rest, *length);
      }
      continue;
    }
    AppendTag(rest, field, type);
    if (type == WireType::kStartGroup) {
      if (++depth > kMaxGroupDepth) return NoRequest();
    } else if (type == WireType::kEndGroup) {
      if (--depth < 0) return NoRequest();
    } else if (!CopyValue(reader, type, rest)) {
      return NoRequest();
    }
    RETURN_IF_ERROR(bounds.CountOther(start - reader.remaining()));
  }
  return depth == 0 ? absl::OkStatus() : NoRequest();
}

}  // namespace

grpc::Slice SliceOf(Tensor tensor) {
  auto* owner = new Tensor(std::move(tensor));
  return {const_cast<std::byte*>(owner->data()), owner->bytes(),
          [](void* owned) { delete static_cast<Tensor*>(owned); }, owner};
}

absl::Status DecodeInferRequest(const grpc::ByteBuffer& bytes, InferRequest& request) {
  std::vector<grpc::Slice> slices;
  slices.reserve(kFewSlices);
  if (bytes.Valid() && !bytes.Dump(&slices).ok()) {
    return InvalidArgument("the request cannot be read");
  }
  std::string rest;
  RETURN_IF_ERROR(Split(SliceReader(std::move(slices)), request.raw_contents, rest));
  return request.message.ParseFromString(rest) ? absl::OkStatus() : NoRequest();
}

void EncodeInferResponse(const inference::ModelInferResponse& message,
                         std::span<const Tensor> outputs, grpc::ByteBuffer& response) {
  absl::InlinedVector<grpc::Slice, 8> slices;
  // Of the message, with the tag and the length of the first output's bytes behind it.
  std::string contents_head;
  const auto begin_contents = [&](const Tensor& output) {
    contents_head.clear();
    AppendTag(contents_head, kRawOutputContents, WireType::kLength);
    AppendVarint(contents_head, output.bytes());
  };
  if (!outputs.empty()) begin_contents(outputs[0]);
  const size_t message_bytes = message.ByteSizeLong();
  grpc::Slice head(message_bytes + contents_head.size());
  auto* const begin = const_cast<uint8_t*>(head.begin());
  message.SerializeWithCachedSizesToArray(begin);
  std::copy(contents_head.begin(), contents_head.end(), begin + message_bytes);
  slices.push_back(std::move(head));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) {
      begin_contents(outputs[i]);
      slices.emplace_back(contents_head);
    }
    if (outputs[i].bytes() > 0) slices.push_back(SliceOf(outputs[i]));
  }
  grpc::ByteBuffer made(slices.data(), slices.size());
  response.Swap(&made);
}

grpc::ByteBuffer EncodeStreamResponse(const grpc::ByteBuffer& response) {
  // Messages that follow each other are merged by who reads them.
  inference::ModelInferResponse mark;
  (*mark.mutable_parameters())[kFinal].set_bool_param(true);
  const std::string tail = mark.SerializeAsString();
  std::string head;
  AppendTag(head, inference::ModelStreamInferResponse::kInferResponseFieldNumber,
            WireType::kLength);
  AppendVarint(head, response.Length() + tail.size());
  std::vector<grpc::Slice> slices;
  // Slices that were put together here can be taken apart.
  LAZYNET_CHECK(response.Dump(&slices).ok());
  slices.emplace(slices.begin(), head);
  slices.emplace_back(tail);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

grpc::ByteBuffer EncodeStreamError(const std::string& id, const std::string& message) {
  inference::ModelStreamInferResponse error;
  error.set_error_message(message);
  inference::ModelInferResponse& response = *error.mutable_infer_response();
  response.set_id(id);
  (*response.mutable_parameters())[kFinal].set_bool_param(true);
  const grpc::Slice slice(error.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace lazynet::handlers
