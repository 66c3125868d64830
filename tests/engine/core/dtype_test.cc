#include "engine/core/dtype.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace lazynet {
namespace {

TEST(DType, NamesAndSizesAreTheProtocols) {
  const struct {
    DType dtype;
    const char* name;
    size_t size;
  } rows[] = {
      {DType::kBool, "BOOL", 1},     {DType::kUint8, "UINT8", 1},   {DType::kUint16, "UINT16", 2},
      {DType::kUint32, "UINT32", 4}, {DType::kUint64, "UINT64", 8}, {DType::kInt8, "INT8", 1},
      {DType::kInt16, "INT16", 2},   {DType::kInt32, "INT32", 4},   {DType::kInt64, "INT64", 8},
      {DType::kFp16, "FP16", 2},     {DType::kBf16, "BF16", 2},     {DType::kFp32, "FP32", 4},
      {DType::kFp64, "FP64", 8}};
  for (const auto& row : rows) {
    EXPECT_EQ(Name(row.dtype), row.name);
    EXPECT_EQ(SizeOf(row.dtype), row.size) << row.name;
    EXPECT_EQ(ParseDType(row.name), row.dtype);
  }
}

TEST(DType, NamesAreCaseSensitive) {
  EXPECT_EQ(ParseDType("fp32"), std::nullopt);
  EXPECT_EQ(ParseDType(""), std::nullopt);
}

}  // namespace
}  // namespace lazynet
