#include "engine/backend/reference/computation.h"
#include "engine/backend/strided_copy.h"

namespace lazynet::backend::reference {

absl::StatusOr<AnyRun> MakeRun(const Slice& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const SliceCopy copy(src.shape, kind.begin, kind.step, graph.value(op.output).shape,
                       SizeOf(src.dtype));
  return [copy](const AnyOperands& operands) {
    copy.Run(operands.src<std::byte>(0), operands.dst<std::byte>());
    return absl::OkStatus();
  };
}

}  // namespace lazynet::backend::reference
