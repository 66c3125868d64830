#include "engine/backend/reference/broadcast.h"
#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

// The loop over a row whose condition and sources each stay or move by one, as the flags say.
template <bool kCondition, bool kSrc0, bool kSrc1, typename T>
void ChooseRow(const uint8_t* condition, const T* src0, const T* src1, T* dst, int64_t size) {
#pragma GCC ivdep
  for (int64_t i = 0; i < size; ++i) {
    const T a = src0[kSrc0 ? i : 0];
    const T b = src1[kSrc1 ? i : 0];
    dst[i] = condition[kCondition ? i : 0] != 0 ? a : b;
  }
}

template <typename T>
using RowFunction = void (*)(const uint8_t*, const T*, const T*, T*, int64_t);

template <typename T>
RowFunction<T> SelectRow(const Broadcast<3>::Offsets& steps) {
  static constexpr RowFunction<T> kRows[] = {
      ChooseRow<false, false, false, T>, ChooseRow<false, false, true, T>,
      ChooseRow<false, true, false, T>,  ChooseRow<false, true, true, T>,
      ChooseRow<true, false, false, T>,  ChooseRow<true, false, true, T>,
      ChooseRow<true, true, false, T>,   ChooseRow<true, true, true, T>};
  return kRows[4 * (steps[0] != 0) + 2 * (steps[1] != 0) + (steps[2] != 0)];
}

// Elements are moved as unsigned integers of their size.
template <typename T>
AnyRun Choose(const Broadcast<3>& broadcast) {
  return [broadcast, row = SelectRow<T>(broadcast.row_strides())](const AnyOperands& operands) {
    const auto* condition = operands.src<uint8_t>(0);
    const T* src0 = operands.src<T>(1);
    const T* src1 = operands.src<T>(2);
    T* dst = operands.dst<T>();
    broadcast.ForEachRow([&](const Broadcast<3>::Offsets& at, int64_t dst_at) {
      row(condition + at[0], src0 + at[1], src1 + at[2], dst + dst_at, broadcast.row_size());
    });
    return absl::OkStatus();
  };
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const Where&, const Graph& graph, const Op& op) {
  const Value& condition = graph.value(op.inputs[0]);
  const Value& src0 = graph.value(op.inputs[1]);
  const Value& src1 = graph.value(op.inputs[2]);
  const Value& dst = graph.value(op.output);
  if (condition.dtype != DType::kBool || src0.dtype != dst.dtype || src1.dtype != dst.dtype) {
    return Unimplemented("where of {}, {} and {} to {}", Name(condition.dtype), Name(src0.dtype),
                         Name(src1.dtype), Name(dst.dtype));
  }
  const Broadcast<3> broadcast({condition.shape, src0.shape, src1.shape}, dst.shape);
  switch (SizeOf(dst.dtype)) {
    case 1:
      return Choose<uint8_t>(broadcast);
    case 2:
      return Choose<uint16_t>(broadcast);
    case 4:
      return Choose<uint32_t>(broadcast);
    case 8:
      return Choose<uint64_t>(broadcast);
    default:
      return Unimplemented("where of {}", Name(dst.dtype));
  }
}

}  // namespace lazynet::backend::reference
