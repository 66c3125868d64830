#include "engine/checkpoint/safetensors_writer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/checkpoint/common.h"
#include "engine/checkpoint/file.h"
#include "engine/checkpoint/safetensors_format.h"

namespace lazynet::checkpoint {
namespace {

absl::StatusOr<std::string> JsonString(std::string_view what, std::string_view text) {
  try {
    return nlohmann::json(std::string(text)).dump();
  } catch (const nlohmann::json::exception&) {
    return InvalidArgument("{} {}: wants UTF-8", what, Quote(text));
  }
}

absl::Status CheckHeaderBytes(uint64_t bytes) {
  if (bytes <= kMaxHeaderBytes) return absl::OkStatus();
  return InvalidArgument("wants a header of at most {} bytes, got {}", kMaxHeaderBytes, bytes);
}

// Length and header: all that comes before the data. `tensors` are in the order of the data.
absl::StatusOr<std::string> Prologue(std::span<const NamedTensorView> tensors,
                                     const Metadata& metadata) {
  if (tensors.size() > kMaxTensors) {
    return InvalidArgument("wants at most {} tensors, got {}", kMaxTensors, tensors.size());
  }
  if (metadata.size() > kMaxMetadataEntries) {
    return InvalidArgument("{}: wants at most {} entries, got {}", kMetadataKey,
                           kMaxMetadataEntries, metadata.size());
  }
  uint64_t at_least = 0;
  for (const NamedTensorView& entry : tensors) at_least += entry.name.size();
  for (const auto& [key, value] : metadata) at_least += key.size() + value.size();
  RETURN_IF_ERROR(CheckHeaderBytes(at_least));

  std::string text(kLengthBytes, '\0');
  text += '{';
  if (!metadata.empty()) {
    text += fmt::format("\"{}\":{{", kMetadataKey);
    for (const auto& [key, value] : metadata) {
      ASSIGN_OR_RETURN(const std::string json_key, JsonString(kMetadataKey, key));
      ASSIGN_OR_RETURN(const std::string json_value, JsonString(kMetadataKey, value));
      if (text.back() != '{') text += ',';
      text += json_key + ':' + json_value;
    }
    text += '}';
  }
  uint64_t offset = 0;
  for (const NamedTensorView& entry : tensors) {
    ASSIGN_OR_RETURN(const std::string json_name, JsonString("tensor", entry.name));
    const uint64_t end = offset + entry.tensor.bytes();
    if (text.back() != '{') text += ',';
    fmt::format_to(std::back_inserter(text),
                   R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", json_name,
                   SafetensorsName(entry.tensor.dtype), fmt::join(entry.tensor.shape.dims(), ","),
                   offset, end);
    offset = end;
  }
  text += '}';
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  const uint64_t length = text.size() - kLengthBytes;
  RETURN_IF_ERROR(CheckHeaderBytes(length));
  std::memcpy(text.data(), &length, kLengthBytes);
  return text;
}

// The tensors in the order of the data, checked.
absl::StatusOr<std::vector<NamedTensorView>> InDataOrder(std::span<const NamedTensorView> tensors) {
  std::vector<NamedTensorView> ordered(tensors.begin(), tensors.end());
  const auto by_name = [](const NamedTensorView& a, const NamedTensorView& b) {
    return a.name < b.name;
  };
  const auto wider = [](const NamedTensorView& a, const NamedTensorView& b) {
    return SizeOf(a.tensor.dtype) > SizeOf(b.tensor.dtype);
  };
  std::sort(ordered.begin(), ordered.end(), by_name);
  for (size_t i = 0; i < ordered.size(); ++i) {
    const NamedTensorView& entry = ordered[i];
    if (entry.name == kMetadataKey) {
      return InvalidArgument("tensor {}: wants a name that the format does not use itself",
                             Quote(entry.name));
    }
    if (i > 0 && entry.name == ordered[i - 1].name) {
      return InvalidArgument("tensor {}: wants a name once, got it twice", Quote(entry.name));
    }
    if (const absl::Status status = CheckWritable(entry.tensor); !status.ok()) {
      return Annotate(fmt::format("tensor {}", Quote(entry.name)), status);
    }
  }
  std::stable_sort(ordered.begin(), ordered.end(), wider);
  return ordered;
}

}  // namespace

absl::StatusOr<std::string> SerializeSafetensors(std::span<const NamedTensorView> tensors,
                                                 const Metadata& metadata) {
  ASSIGN_OR_RETURN(const std::vector<NamedTensorView> ordered, InDataOrder(tensors));
  ASSIGN_OR_RETURN(std::string text, Prologue(ordered, metadata));
  size_t size = text.size();
  for (const NamedTensorView& entry : ordered) size += entry.tensor.bytes();
  text.reserve(size);
  for (const NamedTensorView& entry : ordered) {
    const std::span<const std::byte> bytes = BytesOf(entry.tensor);
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return text;
}

absl::Status WriteSafetensors(const std::filesystem::path& path,
                              std::span<const NamedTensorView> tensors, const Metadata& metadata,
                              IfExists if_exists) {
  ASSIGN_OR_RETURN(const std::vector<NamedTensorView> ordered, InDataOrder(tensors));
  ASSIGN_OR_RETURN(const std::string prologue, Prologue(ordered, metadata));
  std::vector<std::span<const std::byte>> pieces;
  pieces.reserve(ordered.size() + 1);
  pieces.push_back(std::as_bytes(std::span(prologue)));
  for (const NamedTensorView& entry : ordered) pieces.push_back(BytesOf(entry.tensor));
  return WriteFileAtomically(path, pieces, if_exists);
}

}  // namespace lazynet::checkpoint
