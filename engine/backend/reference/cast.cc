#include <bit>
#include <cmath>
#include <type_traits>

#include "engine/backend/reference/computation.h"
#include "engine/core/float16.h"

namespace lazynet::backend::reference {
namespace {

// Each type below says how elements of a dtype lie in memory, which number one is, and, for those
// that are cast to, which element is the nearest to a number.
template <typename T>
struct Plain {
  using Element = T;
  static T Read(T element) { return element; }
  template <typename Number>
  static T Write(Number number) {
    return static_cast<T>(number);
  }
};

struct Bool {
  using Element = uint8_t;
  static int Read(uint8_t element) { return element != 0; }
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
  static uint16_t Write(float number) { return kWrite(number); }
  static uint16_t Write(double number) { return kWrite(RoundToOdd(number)); }
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

// Null where there is no such cast.
template <typename Src>
AnyRun CastFrom(DType dst, int64_t count) {
  if (dst == DType::kFp32) return CastEach<Src, Plain<float>>(count);
  if (dst == DType::kFp64) return CastEach<Src, Plain<double>>(count);
  if constexpr (std::is_floating_point_v<decltype(Src::Read({}))>) {
    if (dst == DType::kFp16) return CastEach<Src, Half>(count);
    if (dst == DType::kBf16) return CastEach<Src, Bfloat16>(count);
  }
  return nullptr;
}

AnyRun CastBetween(DType src, DType dst, int64_t count) {
  switch (src) {
    case DType::kFp16:
      return CastFrom<Half>(dst, count);
    case DType::kBf16:
      return CastFrom<Bfloat16>(dst, count);
    case DType::kFp32:
      return CastFrom<Plain<float>>(dst, count);
    case DType::kFp64:
      return CastFrom<Plain<double>>(dst, count);
    case DType::kInt32:
      return CastFrom<Plain<int32_t>>(dst, count);
    case DType::kInt64:
      return CastFrom<Plain<int64_t>>(dst, count);
    case DType::kUint8:
      return CastFrom<Plain<uint8_t>>(dst, count);
    case DType::kBool:
      return CastFrom<Bool>(dst, count);
    default:
      return nullptr;
  }
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const Cast&, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const Value& dst = graph.value(op.output);
  AnyRun run = CastBetween(src.dtype, dst.dtype, dst.shape.num_elements());
  if (run == nullptr) return Unimplemented("cast of {} to {}", Name(src.dtype), Name(dst.dtype));
  return run;
}

}  // namespace lazynet::backend::reference
