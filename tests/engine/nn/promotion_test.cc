#include "engine/nn/promotion.h"

#include <gtest/gtest.h>

#include <vector>

namespace lazynet::nn {
namespace {

using enum DType;

// torch.promote_types of PyTorch 1.13 over its dtypes, row by row.
TEST(Promotion, OfTensorsIsTorchs) {
  const std::vector<DType> dtypes{kBool,  kUint8, kInt8, kInt16, kInt32,
                                  kInt64, kFp16,  kBf16, kFp32,  kFp64};
  const std::vector<std::vector<DType>> wanted{
      {kBool, kUint8, kInt8, kInt16, kInt32, kInt64, kFp16, kBf16, kFp32, kFp64},
      {kUint8, kUint8, kInt16, kInt16, kInt32, kInt64, kFp16, kBf16, kFp32, kFp64},
      {kInt8, kInt16, kInt8, kInt16, kInt32, kInt64, kFp16, kBf16, kFp32, kFp64},
      {kInt16, kInt16, kInt16, kInt16, kInt32, kInt64, kFp16, kBf16, kFp32, kFp64},
      {kInt32, kInt32, kInt32, kInt32, kInt32, kInt64, kFp16, kBf16, kFp32, kFp64},
      {kInt64, kInt64, kInt64, kInt64, kInt64, kInt64, kFp16, kBf16, kFp32, kFp64},
      {kFp16, kFp16, kFp16, kFp16, kFp16, kFp16, kFp16, kFp32, kFp32, kFp64},
      {kBf16, kBf16, kBf16, kBf16, kBf16, kBf16, kFp32, kBf16, kFp32, kFp64},
      {kFp32, kFp32, kFp32, kFp32, kFp32, kFp32, kFp32, kFp32, kFp32, kFp64},
      {kFp64, kFp64, kFp64, kFp64, kFp64, kFp64, kFp64, kFp64, kFp64, kFp64}};
  for (size_t i = 0; i < dtypes.size(); ++i) {
    for (size_t j = 0; j < dtypes.size(); ++j) {
      EXPECT_EQ(Promote(dtypes[i], dtypes[j]), wanted[i][j])
          << Name(dtypes[i]) << " " << Name(dtypes[j]);
    }
  }
  EXPECT_EQ(Promote(std::vector<DType>{kBool, kInt32, kBf16}), kBf16);
}

TEST(Promotion, NumbersRaiseTheCategoryOnly) {
  EXPECT_EQ(PromoteWithNumber(kBool, true), kInt64);
  EXPECT_EQ(PromoteWithNumber(kUint8, true), kUint8);
  EXPECT_EQ(PromoteWithNumber(kBf16, true), kBf16);
  EXPECT_EQ(PromoteWithNumber(kBool, false), kFp32);
  EXPECT_EQ(PromoteWithNumber(kInt64, false), kFp32);
  EXPECT_EQ(PromoteWithNumber(kFp16, false), kFp16);
  EXPECT_EQ(PromoteWithNumber(kFp64, false), kFp64);
}

TEST(Promotion, ArithmeticIsDoneInFewDTypes) {
  EXPECT_EQ(ArithmeticDType(kBool), kBool);
  EXPECT_EQ(ArithmeticDType(kUint8), kInt64);
  EXPECT_EQ(ArithmeticDType(kInt32), kInt64);
  EXPECT_EQ(ArithmeticDType(kBf16), kFp32);
  EXPECT_EQ(ArithmeticDType(kFp64), kFp64);
}

}  // namespace
}  // namespace lazynet::nn
