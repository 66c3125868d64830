#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/strides.h"

namespace lazynet::backend::reference {

absl::StatusOr<AnyRun> MakeRun(const Slice& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const std::vector<int64_t> strides = BroadcastStrides(src.shape, src.shape);
  int64_t first = 0;
  for (size_t axis = 0; axis < strides.size(); ++axis) first += kind.begin[axis] * strides[axis];
  const size_t element_bytes = SizeOf(src.dtype);
  const StridedCopy copy(graph.value(op.output).shape, strides, element_bytes);
  const size_t offset = static_cast<size_t>(first) * element_bytes;
  return [=](const AnyOperands& operands) {
    copy.Run(operands.src<std::byte>(0) + offset, operands.dst<std::byte>());
    return absl::OkStatus();
  };
}

}  // namespace lazynet::backend::reference
