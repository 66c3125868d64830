#include "service/handlers/infer_codec.h"

#include <memory>
#include <optional>
#include <utility>

#include "engine/core/status.h"
#include "service/handlers/request_bounds.h"

namespace lazynet::handlers {
namespace {

// Of an answer that is the last one of its request.
constexpr const char* kFinal = "triton_final_response";

constexpr uint32_t kRawInputContents = 7;
constexpr uint32_t kUnknown = 0;
constexpr uint32_t kRawOutputContents = 6;
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
absl::Status Split(SliceReader reader, std::vector<InferRequest::RawContents>& raw,
                   std::string& rest) {
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

grpc::Slice SliceOf(const Tensor& tensor) {
  auto* owner = new Tensor(tensor);
  return {const_cast<std::byte*>(tensor.data()), tensor.bytes(),
          [](void* owned) { delete static_cast<Tensor*>(owned); }, owner};
}

absl::Status DecodeInferRequest(const grpc::ByteBuffer& bytes, InferRequest& request) {
  std::vector<grpc::Slice> slices;
  if (bytes.Valid() && !bytes.Dump(&slices).ok()) {
    return InvalidArgument("the request cannot be read");
  }
  std::string rest;
  RETURN_IF_ERROR(Split(SliceReader(std::move(slices)), request.raw_contents, rest));
  return request.message.ParseFromString(rest) ? absl::OkStatus() : NoRequest();
}

grpc::ByteBuffer EncodeInferResponse(const inference::ModelInferResponse& message,
                                     const std::vector<Tensor>& outputs) {
  std::vector<grpc::Slice> slices;
  std::string head = message.SerializeAsString();
  for (const Tensor& output : outputs) {
    AppendTag(head, kRawOutputContents, WireType::kLength);
    AppendVarint(head, output.bytes());
    slices.emplace_back(head);
    head.clear();
    if (output.bytes() > 0) slices.push_back(SliceOf(output));
  }
  if (!head.empty() || slices.empty()) slices.emplace_back(head);
  return grpc::ByteBuffer(slices.data(), slices.size());
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
