#include "engine/core/dtype.h"

#include <array>

namespace lazynet {
namespace {

struct Entry {
  DType dtype;
  std::string_view name;
  size_t size;
  bool floating;
};

constexpr std::array kEntries = {
    Entry{DType::kBool, "BOOL", 1, false},     Entry{DType::kUint8, "UINT8", 1, false},
    Entry{DType::kUint16, "UINT16", 2, false}, Entry{DType::kUint32, "UINT32", 4, false},
    Entry{DType::kUint64, "UINT64", 8, false}, Entry{DType::kInt8, "INT8", 1, false},
    Entry{DType::kInt16, "INT16", 2, false},   Entry{DType::kInt32, "INT32", 4, false},
    Entry{DType::kInt64, "INT64", 8, false},   Entry{DType::kFp16, "FP16", 2, true},
    Entry{DType::kBf16, "BF16", 2, true},      Entry{DType::kFp32, "FP32", 4, true},
    Entry{DType::kFp64, "FP64", 8, true},
};

const Entry& Find(DType dtype) { return kEntries[static_cast<size_t>(dtype)]; }

}  // namespace

size_t SizeOf(DType dtype) { return Find(dtype).size; }

std::string_view Name(DType dtype) { return Find(dtype).name; }

std::optional<DType> ParseDType(std::string_view name) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.dtype;
  }
  return std::nullopt;
}

bool IsFloating(DType dtype) { return Find(dtype).floating; }

}  // namespace lazynet
