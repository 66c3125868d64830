#include "engine/nn/number.h"

#include <cmath>
#include <limits>

#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

int64_t Wrap(double number, DType dtype) {
  // Limits may be infinite, and beyond all integers.
  if (std::isnan(number)) return 0;
  if (number >= 0x1p63) return std::numeric_limits<int64_t>::max();
  if (number < -0x1p63) return std::numeric_limits<int64_t>::min();
  const auto whole = static_cast<int64_t>(number);
  switch (dtype) {
    case DType::kInt8:
      return static_cast<int8_t>(whole);
    case DType::kInt16:
      return static_cast<int16_t>(whole);
    case DType::kInt32:
      return static_cast<int32_t>(whole);
    case DType::kUint8:
      return static_cast<uint8_t>(whole);
    case DType::kUint16:
      return static_cast<uint16_t>(whole);
    case DType::kUint32:
      return static_cast<uint32_t>(whole);
    default:
      return whole;
  }
}

}  // namespace

bool IsIntegral(double number) {
  return std::trunc(number) == number && number >= -0x1p63 && number < 0x1p63;
}

std::string PythonNumber(double number) {
  if (IsIntegral(number)) return fmt::format("{}", static_cast<int64_t>(number));
  return fmt::format("{}", number);
}

backend::ValueId AddNumber(Lowering& lowering, double number, DType dtype) {
  const DType arithmetic = ArithmeticDType(dtype);
  if (arithmetic != DType::kInt64) return lowering.Scalar(number, arithmetic);
  // The largest integer would be rounded up, out of range; nothing is between it and this one.
  const auto whole = static_cast<double>(Wrap(number, dtype));
  return lowering.Scalar(whole < 0x1p63 ? whole : 0x1p63 - 1024, arithmetic);
}

}  // namespace lazynet::nn
