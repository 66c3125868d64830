#include "engine/backend/padded_copy.h"
#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {

absl::StatusOr<AnyRun> MakeRun(const Pad& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const PaddedCopy copy(kind, src.shape, graph.value(op.output).shape, src.dtype);
  return [copy](const AnyOperands& operands) {
    copy.Run(operands.src<std::byte>(0), operands.dst<std::byte>());
    return absl::OkStatus();
  };
}

}  // namespace lazynet::backend::reference
