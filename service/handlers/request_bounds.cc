#include "service/handlers/request_bounds.h"

#include <limits>

#include "engine/core/status.h"
#include "proto/inference.pb.h"

namespace lazynet::handlers {
namespace {

using Request = inference::ModelInferRequest;
using Input = Request::InferInputTensor;
using Contents = inference::InferTensorContents;

absl::Status CountTensor(const char* what, size_t& count) {
  if (++count <= RequestBounds::kMostTensors) return absl::OkStatus();
  return InvalidArgument("the request: wants at most {} {}, got more", RequestBounds::kMostTensors,
                         what);
}

// Calls `visit` with number, value and length of each length-delimited field in the next `length`
// bytes, and returns how many bytes are in others. What is malformed counts as such a byte: the
// parser will say so.
template <typename Visit>
size_t VisitFields(SliceReader reader, size_t length, Visit&& visit) {
  const size_t end = reader.remaining() - length;
  size_t other = 0;
  while (reader.remaining() > end) {
    const size_t start = reader.remaining();
    const auto tag = reader.Varint();
    if (!tag || *tag > std::numeric_limits<uint32_t>::max()) return other + start - end;
    switch (static_cast<WireType>(*tag & 7)) {
      case WireType::kVarint:
        if (!reader.Varint()) return other + start - end;
        break;
      case WireType::kFixed64:
        reader.Skip(8);
        break;
      case WireType::kFixed32:
        reader.Skip(4);
        break;
      case WireType::kLength: {
        const auto size = reader.Varint();
        if (!size || reader.remaining() < end || *size > reader.remaining() - end) {
          return other + start - end;
        }
        visit(static_cast<uint32_t>(*tag >> 3), reader, static_cast<size_t>(*size));
        reader.Skip(*size);
        continue;
      }
      default:
        break;  // groups: tags that stand alone
    }
    if (reader.remaining() < end) return other + start - end;
    other += start - reader.remaining();
  }
  return other;
}

// Bytes of typed contents that are no numbers.
size_t BytesOfContents(const SliceReader& value, size_t length) {
  size_t bytes = 0;
  VisitFields(value, length, [&](uint32_t field, const SliceReader&, size_t size) {
    const bool numbers =
        field >= Contents::kBoolContentsFieldNumber && field <= Contents::kFp64ContentsFieldNumber;
    if (!numbers) bytes += size + 2;
  });
  return bytes;
}

size_t BytesOfInput(const SliceReader& value, size_t length) {
  size_t bytes = 0;
  const auto count = [&](uint32_t field, const SliceReader& at, size_t size) {
    bytes += field == Input::kContentsFieldNumber ? BytesOfContents(at, size) : size + 2;
  };
  bytes += VisitFields(value, length, count);
  return bytes;
}

}  // namespace

absl::Status RequestBounds::Count(uint32_t field, const SliceReader& value, size_t length) {
  switch (field) {
    case Request::kRawInputContentsFieldNumber:
      return CountTensor("raw_input_contents", raw_contents_);
    case Request::kInputsFieldNumber:
      RETURN_IF_ERROR(CountTensor("inputs", inputs_));
      return CountBytes(BytesOfInput(value, length));
    case Request::kOutputsFieldNumber:
      RETURN_IF_ERROR(CountTensor("outputs", outputs_));
      return CountBytes(length);
    default:
      return CountBytes(length + 2);
  }
}

absl::Status RequestBounds::CountBytes(size_t bytes) {
  bytes_ += bytes;
  if (bytes_ <= kMostBytes) return absl::OkStatus();
  return InvalidArgument(
      "the request: wants at most {} bytes beside the numbers of tensors, got "
      "more",
      kMostBytes);
}

}  // namespace lazynet::handlers
