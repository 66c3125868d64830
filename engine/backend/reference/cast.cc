#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "engine/backend/reference/computation.h"
#include "engine/core/float16.h"

namespace lazynet::backend::reference {
namespace {

// The integer of x without its fraction; the least one for NaN and what Integer cannot hold.
template <typename Integer>
Integer Truncate(double x) {
  constexpr auto kLeast = std::numeric_limits<Integer>::min();
  constexpr auto kLowest = static_cast<double>(kLeast);  // a power of two, hence exact
  return x >= kLowest && x < -kLowest ? static_cast<Integer>(x) : kLeast;
}

// Each type below says how elements of a dtype lie in memory, which number one is, and which
// element stands for a number.
template <typename T>
struct Plain {
  using Element = T;
  static T Read(T element) { return element; }
  template <typename Number>
  static T Write(Number number) {
    if constexpr (std::is_floating_point_v<T> || !std::is_floating_point_v<Number>) {
      return static_cast<T>(number);
    } else {
      using Whole =
          std::conditional_t<std::is_signed_v<T> && sizeof(T) <= sizeof(int32_t), int32_t, int64_t>;
      return static_cast<T>(Truncate<Whole>(double{number}));
    }
  }
};

struct Bool {
  using Element = uint8_t;
  static int Read(uint8_t element) { return element != 0; }
  template <typename Number>
  static uint8_t Write(Number number) {
    return number != 0;
  }
};

// A float that rounds to 16 bits as the double does: inexact results get an odd last bit, so that
// none of them is taken for a tie.
float RoundToOdd(double number) {
  const auto nearest = static_cast<float>(number);
  if (double{nearest} == number || std::isnan(number)) return nearest;
  auto bits = std::bit_cast<uint32_t>(nearest);
  if (std::abs(double{nearest}) > std::abs(number)) --bits;
  return std::bit_cast<float>(bits | 1u);
}

template <float (*kRead)(uint16_t), uint16_t (*kWrite)(float)>
struct SixteenBits {
  using Element = uint16_t;
  static float Read(uint16_t element) { return kRead(element); }
  template <typename Number>
  static uint16_t Write(Number number) {
    if constexpr (std::is_same_v<Number, double>) return kWrite(RoundToOdd(number));
    return kWrite(static_cast<float>(number));
  }
};
using Half = SixteenBits<HalfToFloat, FloatToHalf>;
using Bfloat16 = SixteenBits<Bfloat16ToFloat, FloatToBfloat16>;

template <typename Src, typename Dst>
AnyRun CastEach(int64_t count) {
  return [count](const AnyOperands& operands) {
    const auto* src = operands.src<typename Src::Element>(0);
    auto* dst = operands.dst<typename Dst::Element>();
    for (int64_t i = 0; i < count; ++i) dst[i] = Dst::Write(Src::Read(src[i]));
    return absl::OkStatus();
  };
}

// Calls visit with the type of a dtype.
template <typename Visit>
AnyRun WithType(DType dtype, const Visit& visit) {
  switch (dtype) {
    case DType::kBool:
      return visit(Bool{});
    case DType::kUint8:
      return visit(Plain<uint8_t>{});
    case DType::kUint16:
      return visit(Plain<uint16_t>{});
    case DType::kUint32:
      return visit(Plain<uint32_t>{});
    case DType::kUint64:
      return visit(Plain<uint64_t>{});
    case DType::kInt8:
      return visit(Plain<int8_t>{});
    case DType::kInt16:
      return visit(Plain<int16_t>{});
    case DType::kInt32:
      return visit(Plain<int32_t>{});
    case DType::kInt64:
      return visit(Plain<int64_t>{});
    case DType::kFp16:
      return visit(Half{});
    case DType::kBf16:
      return visit(Bfloat16{});
    case DType::kFp32:
      return visit(Plain<float>{});
    case DType::kFp64:
      break;
  }
  return visit(Plain<double>{});
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const Cast&, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const Value& dst = graph.value(op.output);
  const int64_t count = dst.shape.num_elements();
  return WithType(src.dtype, [&]<typename Src>(Src) {
    return WithType(dst.dtype, [&]<typename Dst>(Dst) { return CastEach<Src, Dst>(count); });
  });
}

}  // namespace lazynet::backend::reference
