#include "engine/nn/number.h"

#include <cmath>
#include <limits>

#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

int64_t Wrap(double number, DType dtype) {
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

bool Holds(DType dtype, double number) {
  const auto floats_to = [number](double largest) {
    return !std::isfinite(number) || std::abs(number) <= largest;
  };
  const auto integers = [number](double least, double end) {
    return number >= least && number <= end - 1;
  };
  switch (dtype) {
    case DType::kBool:
    case DType::kFp64:
      return true;
    case DType::kFp32:
      return floats_to(std::numeric_limits<float>::max());
    case DType::kBf16:
      return floats_to(0x1.FEp127);
    case DType::kFp16:
      return floats_to(65504);
    case DType::kInt8:
      return integers(-0x1p7, 0x1p7);
    case DType::kInt16:
      return integers(-0x1p15, 0x1p15);
    case DType::kInt32:
      return integers(-0x1p31, 0x1p31);
    case DType::kUint8:
      return integers(0, 0x1p8);
    case DType::kUint16:
      return integers(0, 0x1p16);
    case DType::kUint32:
      return integers(0, 0x1p32);
    case DType::kInt64:
      return number >= -0x1p63 && number < 0x1p63;
    case DType::kUint64:  // computed with as INT64
      return number >= 0 && number < 0x1p63;
  }
  return false;
}

}  // namespace

bool IsIntegral(double number) {
  return std::trunc(number) == number && number >= -0x1p63 && number < 0x1p63;
}

std::string PythonNumber(double number) {
  if (IsIntegral(number)) return fmt::format("{}", static_cast<int64_t>(number));
  return fmt::format("{}", number);
}

absl::Status CheckHolds(DType dtype, double number) {
  if (Holds(dtype, number)) return absl::OkStatus();
  return InvalidArgument("wants a value that {} holds, got {}", Name(dtype), PythonNumber(number));
}

absl::Status CheckAmong(DType dtype, double number) {
  const bool wraps = dtype == DType::kUint8 && IsIntegral(number) && number > -256 && number < 0;
  return wraps ? absl::OkStatus() : CheckHolds(dtype, number);
}

backend::ValueId AddNumber(Lowering& lowering, double number, DType dtype) {
  const DType arithmetic = ArithmeticDType(dtype);
  if (arithmetic != DType::kInt64) return lowering.Scalar(number, arithmetic);
  return lowering.Scalar(static_cast<double>(Wrap(number, dtype)), arithmetic);
}

}  // namespace lazynet::nn
