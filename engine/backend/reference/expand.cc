#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/strides.h"
#include "engine/backend/strided_copy.h"

namespace lazynet::backend::reference {

absl::StatusOr<AnyRun> MakeRun(const Expand&, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const Shape& dst = graph.value(op.output).shape;
  const StridedCopy copy(dst, BroadcastStrides(src.shape, dst), SizeOf(src.dtype));
  return [copy](const AnyOperands& operands) {
    copy.Run(operands.src<std::byte>(0), operands.dst<std::byte>());
    return absl::OkStatus();
  };
}

}  // namespace lazynet::backend::reference
