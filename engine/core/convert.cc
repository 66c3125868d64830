#include "engine/core/convert.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "engine/core/float16.h"

namespace lazynet {
namespace {

// 16-bit floats as types of their own, so that overloads tell them from UINT16.
struct Half {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};

template <typename T>
T Plain(T value) {
  return value;
}
float Plain(Half value) { return HalfToFloat(value.bits); }
float Plain(Bfloat16 value) { return Bfloat16ToFloat(value.bits); }

template <typename To, typename From>
To ToInteger(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    // Both bounds are powers of two and so exact in every floating type.
    constexpr int kBits = std::numeric_limits<To>::digits;
    const From limit = std::ldexp(From{1}, kBits);
    const From least = std::is_signed_v<To> ? -limit : From{0};
    return value >= least && value < limit ? static_cast<To>(value) : To{0};
  } else {
    return std::in_range<To>(value) ? static_cast<To>(value) : To{0};
  }
}

template <typename To, typename From>
To ConvertValue(From value) {
  if constexpr (std::is_same_v<To, Half>) {
    return {FloatToHalf(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<To, Bfloat16>) {
    return {FloatToBfloat16(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<To> || std::is_same_v<From, bool>) {
    return static_cast<To>(value);
  } else {
    return ToInteger<To>(value);
  }
}

// Whether two numbers of any types are the same, without a lossy common type.
template <typename A, typename B>
bool Same(A a, B b) {
  if constexpr (std::is_floating_point_v<A> && std::is_floating_point_v<B>) {
    return static_cast<double>(a) == static_cast<double>(b) || (std::isnan(a) && std::isnan(b));
  } else if constexpr (std::is_floating_point_v<B>) {
    return static_cast<B>(a) == b && ConvertValue<A>(b) == a;
  } else if constexpr (std::is_floating_point_v<A>) {
    return Same(b, a);
  } else if constexpr (std::is_same_v<A, bool> || std::is_same_v<B, bool>) {
    return static_cast<int64_t>(a) == static_cast<int64_t>(b);
  } else {
    return std::cmp_equal(a, b);
  }
}

// Calls with a null pointer of the element type.
template <typename Function>
bool Dispatch(DType dtype, const Function& function) {
  switch (dtype) {
    case DType::kBool:
      return function(static_cast<bool*>(nullptr));
    case DType::kUint8:
      return function(static_cast<uint8_t*>(nullptr));
    case DType::kUint16:
      return function(static_cast<uint16_t*>(nullptr));
    case DType::kUint32:
      return function(static_cast<uint32_t*>(nullptr));
    case DType::kUint64:
      return function(static_cast<uint64_t*>(nullptr));
    case DType::kInt8:
      return function(static_cast<int8_t*>(nullptr));
    case DType::kInt16:
      return function(static_cast<int16_t*>(nullptr));
    case DType::kInt32:
      return function(static_cast<int32_t*>(nullptr));
    case DType::kInt64:
      return function(static_cast<int64_t*>(nullptr));
    case DType::kFp16:
      return function(static_cast<Half*>(nullptr));
    case DType::kBf16:
      return function(static_cast<Bfloat16*>(nullptr));
    case DType::kFp32:
      return function(static_cast<float*>(nullptr));
    case DType::kFp64:
      return function(static_cast<double*>(nullptr));
  }
  return false;
}

}  // namespace

bool Convert(const TensorView& src, const MutableTensorView& dst) {
  LAZYNET_CHECK(src.shape == dst.shape);
  const auto count = static_cast<size_t>(src.shape.num_elements());
  return Dispatch(src.dtype, [&](auto* from_type) {
    return Dispatch(dst.dtype, [&](auto* to_type) {
      using From = std::remove_pointer_t<decltype(from_type)>;
      using To = std::remove_pointer_t<decltype(to_type)>;
      const auto* from = reinterpret_cast<const From*>(src.data);
      auto* to = reinterpret_cast<To*>(dst.data);
      bool exact = true;
      for (size_t i = 0; i < count; ++i) {
        const auto value = Plain(from[i]);
        to[i] = ConvertValue<To>(value);
        exact &= Same(value, Plain(to[i]));
      }
      return exact;
    });
  });
}

absl::StatusOr<Tensor> Converted(const Tensor& tensor, DType dtype, bool* exact) {
  if (exact != nullptr) *exact = true;
  if (tensor.dtype() == dtype) return tensor;
  ASSIGN_OR_RETURN(Tensor converted, Tensor::Allocate(dtype, tensor.shape()));
  const bool kept = Convert(tensor.view(), converted.mutable_view());
  if (exact != nullptr) *exact = kept;
  return converted;
}

}  // namespace lazynet
