#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/dtype.h"

// What the safetensors reader and writer agree on.
//
//   u64 little-endian   N, the header's bytes
//   N bytes             a JSON object in UTF-8, possibly padded with spaces
//                       {"__metadata__": {"format": "pt"},
//                        "fc1.weight": {"dtype": "F32", "shape": [10, 4], "data_offsets": [0,
//                        160]}}
//   the rest            the data, little-endian and row-major; data_offsets are [begin, end) in it
namespace lazynet::checkpoint {

inline constexpr size_t kLengthBytes = sizeof(uint64_t);

// The limit of the format's reference reader.
inline constexpr uint64_t kMaxHeaderBytes = 100'000'000;

// Ours: they bound what a hostile header can make us allocate to some hundred MB.
inline constexpr size_t kMaxTensors = size_t{1} << 20;
inline constexpr size_t kMaxMetadataEntries = size_t{1} << 16;

inline constexpr size_t kMaxShards = 4096;

inline constexpr std::string_view kMetadataKey = "__metadata__";

// "F32", "I64", "BOOL", ...
std::string_view SafetensorsName(DType dtype);

// The type of that exact name, or nothing.
std::optional<DType> ParseSafetensorsDType(std::string_view name);

// "BOOL, U8, ..." for messages.
std::string SafetensorsDTypes();

}  // namespace lazynet::checkpoint
