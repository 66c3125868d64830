#include "engine/backend/reference/computation.h"
#include "engine/backend/strided_copy.h"

namespace lazynet::backend::reference {

absl::StatusOr<AnyRun> MakeRun(const Permute& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const std::vector<int64_t> dense = DenseStrides(src.shape);
  std::vector<int64_t> strides;
  for (const int64_t axis : kind.order) strides.push_back(dense[static_cast<size_t>(axis)]);
  const StridedCopy copy(graph.value(op.output).shape, strides, SizeOf(src.dtype));
  return [copy](const AnyOperands& operands) {
    copy.Run(operands.src<std::byte>(0), operands.dst<std::byte>());
    return absl::OkStatus();
  };
}

}  // namespace lazynet::backend::reference
