#include "engine/checkpoint/safetensors_format.h"

#include <array>

#include "engine/core/check.h"

namespace lazynet::checkpoint {
namespace {

struct Entry {
  DType dtype;
  std::string_view name;
};

constexpr std::array kEntries = {
    Entry{DType::kBool, "BOOL"},  Entry{DType::kUint8, "U8"},   Entry{DType::kInt8, "I8"},
    Entry{DType::kUint16, "U16"}, Entry{DType::kInt16, "I16"},  Entry{DType::kUint32, "U32"},
    Entry{DType::kInt32, "I32"},  Entry{DType::kUint64, "U64"}, Entry{DType::kInt64, "I64"},
    Entry{DType::kFp16, "F16"},   Entry{DType::kBf16, "BF16"},  Entry{DType::kFp32, "F32"},
    Entry{DType::kFp64, "F64"},
};

}  // namespace

std::string_view SafetensorsName(DType dtype) {
  for (const Entry& entry : kEntries) {
    if (entry.dtype == dtype) return entry.name;
  }
  CheckFailed("every dtype has a name", __FILE__, __LINE__);
}

std::optional<DType> ParseSafetensorsDType(std::string_view name) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.dtype;
  }
  return std::nullopt;
}

std::string SafetensorsDTypes() {
  std::string names;
  for (const Entry& entry : kEntries) {
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names;
}

}  // namespace lazynet::checkpoint
