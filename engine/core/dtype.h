#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lazynet {

// Element types of tensors. The names are the Open Inference Protocol's.
enum class DType : uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
};

// Bytes of one element.
size_t SizeOf(DType dtype);

// "FP32", "INT64", "BOOL", ...
std::string_view Name(DType dtype);

// The type of that exact name, or nothing.
std::optional<DType> ParseDType(std::string_view name);

bool IsFloating(DType dtype);

}  // namespace lazynet
