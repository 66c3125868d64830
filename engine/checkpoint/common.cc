#include "engine/checkpoint/common.h"

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

namespace lazynet::checkpoint {
namespace {

absl::Status CheckBools(std::span<const std::byte> elements) {
  for (size_t i = 0; i < elements.size(); ++i) {
    if (std::to_integer<int>(elements[i]) > 1) {
      return InvalidArgument("BOOL wants 0 or 1, got {} at element {}",
                             std::to_integer<int>(elements[i]), i);
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string Quote(std::string_view text, size_t limit) {
  using Json = nlohmann::json;
  std::string_view kept = text;
  if (text.size() > limit) {
    size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    kept = text.substr(0, end);
  }
  std::string quoted = Json(std::string(kept)).dump(-1, ' ', false, Json::error_handler_t::replace);
  if (kept.size() < text.size()) quoted += "...";
  return quoted;
}

std::string_view JsonReason(std::string_view message) {
  // "[json.exception...] parse error at line 1, column 9: <why>; last read: '<any length>'"
  if (const size_t prefix = message.find("] "); prefix != message.npos) {
    message.remove_prefix(prefix + 2);
  }
  constexpr size_t kReasonBytes = 200;
  return message.substr(0, message.find("; last read")).substr(0, kReasonBytes);
}

absl::StatusOr<size_t> CheckedByteSize(DType dtype, std::span<const int64_t> dims) {
  RETURN_IF_ERROR(CheckBounds(dims));
  return ByteSize(dtype, Shape(dims));
}

absl::StatusOr<Tensor> ViewOrCopy(DType dtype, const Shape& shape,
                                  const std::shared_ptr<const void>& owner, const std::byte* data,
                                  bool mapped) {
  const size_t bytes = ByteSize(dtype, shape);
  if (dtype == DType::kBool) RETURN_IF_ERROR(CheckBools({data, bytes}));
  if (reinterpret_cast<uintptr_t>(data) % SizeOf(dtype) == 0) {
    return mapped ? Tensor::WrapMapped(dtype, shape, owner, data)
                  : Tensor::Wrap(dtype, shape, owner, data);
  }
  ASSIGN_OR_RETURN(Tensor copy, Tensor::Allocate(dtype, shape));
  if (bytes > 0) std::memcpy(copy.mutable_view().data, data, bytes);
  return copy;
}

absl::Status CheckWritable(const TensorView& view) {
  ASSIGN_OR_RETURN(const size_t bytes, CheckedByteSize(view.dtype, view.shape.dims()));
  if (bytes > 0 && view.data == nullptr) {
    return InvalidArgument("wants {} bytes of data, got none", bytes);
  }
  if (view.dtype == DType::kBool) return CheckBools({view.data, bytes});
  return absl::OkStatus();
}

std::span<const std::byte> BytesOf(const TensorView& view) { return {view.data, view.bytes()}; }

}  // namespace lazynet::checkpoint
