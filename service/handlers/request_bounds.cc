#include "service/handlers/request_bounds.h"

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

// A field in a message.
struct Field {
  uint32_t number;
  WireType type;
  SliceReader value;  // stands at its first byte
  size_t length;      // of a length-delimited one
  size_t bytes;       // with its tag
};

// Calls `count` with each field in the next `length` bytes, for what it counts, and returns the
// sum. What is malformed counts as its bytes: the parser will say so.
template <typename Count>
size_t CountFields(SliceReader reader, size_t length, Count&& count) {
  const size_t end = reader.remaining() - length;
  size_t counted = 0;
  while (reader.remaining() > end) {
    const size_t start = reader.remaining();
    const auto tag = reader.Tag();
    if (!tag) return counted + start - end;
    Field field{tag->field, tag->type, reader, 0, 0};
    bool fine = true;
    switch (tag->type) {
      case WireType::kVarint:
        fine = reader.Varint().has_value();
        break;
      case WireType::kFixed64:
        fine = reader.Skip(8);
        break;
      case WireType::kFixed32:
        fine = reader.Skip(4);
        break;
      case WireType::kLength:
        if (const auto size = reader.Length()) {
          field.value = reader;
          field.length = *size;
          reader.Skip(*size);
        } else {
          fine = false;
        }
        break;
      default:
        break;  // groups: tags that stand alone
    }
    if (!fine || reader.remaining() < end) return counted + start - end;
    field.bytes = start - reader.remaining();
    counted += count(field);
  }
  return counted;
}

// Whether these are numbers of a tensor, packed or one by one, as their field has them.
bool IsNumbers(const Field& field) {
  switch (field.number) {
    case Contents::kBoolContentsFieldNumber:
    case Contents::kIntContentsFieldNumber:
    case Contents::kInt64ContentsFieldNumber:
    case Contents::kUintContentsFieldNumber:
    case Contents::kUint64ContentsFieldNumber:
      return field.type == WireType::kLength || field.type == WireType::kVarint;
    case Contents::kFp32ContentsFieldNumber:
      return field.type == WireType::kLength || field.type == WireType::kFixed32;
    case Contents::kFp64ContentsFieldNumber:
      return field.type == WireType::kLength || field.type == WireType::kFixed64;
    default:
      return false;
  }
}

// Bytes of typed contents that are no numbers.
size_t BytesOfContents(const SliceReader& value, size_t length) {
  return CountFields(value, length,
                     [](const Field& field) { return IsNumbers(field) ? 0 : field.bytes; });
}

size_t BytesOfInput(const SliceReader& value, size_t length) {
  return CountFields(value, length, [](const Field& field) {
    const bool contents =
        field.number == Input::kContentsFieldNumber && field.type == WireType::kLength;
    return contents ? BytesOfContents(field.value, field.length) : field.bytes;
  });
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
