#include "engine/nn/promotion.h"

#include <algorithm>

namespace lazynet::nn {
namespace {

bool IsUnsigned(DType dtype) {
  return dtype == DType::kUint8 || dtype == DType::kUint16 || dtype == DType::kUint32 ||
         dtype == DType::kUint64;
}

DType SignedOf(size_t bytes) {
  switch (bytes) {
    case 1:
      return DType::kInt8;
    case 2:
      return DType::kInt16;
    case 4:
      return DType::kInt32;
    default:
      return DType::kInt64;
  }
}

DType PromoteIntegers(DType a, DType b) {
  if (IsUnsigned(a) == IsUnsigned(b)) return SizeOf(a) >= SizeOf(b) ? a : b;
  const size_t of_unsigned = SizeOf(IsUnsigned(a) ? a : b);
  const size_t of_signed = SizeOf(IsUnsigned(a) ? b : a);
  return SignedOf(std::max(of_signed, 2 * of_unsigned));
}

}  // namespace

DType Promote(DType a, DType b) {
  if (a == b) return a;
  if (a == DType::kBool) return b;
  if (b == DType::kBool) return a;
  if (IsFloating(a) != IsFloating(b)) return IsFloating(a) ? a : b;
  if (!IsFloating(a)) return PromoteIntegers(a, b);
  if (SizeOf(a) == SizeOf(b)) return DType::kFp32;  // FP16 and BF16
  return SizeOf(a) > SizeOf(b) ? a : b;
}

DType Promote(std::span<const DType> dtypes) {
  DType result = dtypes.front();
  for (const DType dtype : dtypes.subspan(1)) result = Promote(result, dtype);
  return result;
}

DType PromoteWithNumber(DType tensor, bool integral) {
  if (!integral) return ToFloating(tensor);
  return tensor == DType::kBool ? DType::kInt64 : tensor;
}

DType ToFloating(DType dtype) { return IsFloating(dtype) ? dtype : DType::kFp32; }

DType ArithmeticDType(DType dtype) {
  if (dtype == DType::kBool) return dtype;
  if (IsFloating(dtype)) return dtype == DType::kFp64 ? dtype : DType::kFp32;
  return DType::kInt64;
}

absl::Status CheckOrdered(std::span<const DType> inputs, DType joined) {
  const bool any = std::find(inputs.begin(), inputs.end(), DType::kUint64) != inputs.end();
  if (!any || IsFloating(joined)) return absl::OkStatus();
  return InvalidArgument("wants a dtype whose numbers INT64 holds, got UINT64");
}

}  // namespace lazynet::nn
