#include <cstring>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

template <typename Id>
AnyRun GatherBy(int64_t count, int64_t rows, size_t row_bytes, std::string layer) {
  return [=, layer = std::move(layer)](const AnyOperands& operands) -> absl::Status {
    const Id* ids = operands.src<Id>(0);
    const std::byte* table = operands.src<std::byte>(1);
    std::byte* dst = operands.dst<std::byte>();
    for (int64_t i = 0; i < count; ++i, dst += row_bytes) {
      const int64_t id = ids[i];
      if (id < 0 || id >= rows) {
        return InvalidArgument("layer \"{}\": wants ids in [0, {}), got {}", layer, rows, id);
      }
      std::memcpy(dst, table + static_cast<size_t>(id) * row_bytes, row_bytes);
    }
    return absl::OkStatus();
  };
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const Gather&, const Graph& graph, const Op& op) {
  const Value& ids = graph.value(op.inputs[0]);
  const Value& table = graph.value(op.inputs[1]);
  const DType dst_dtype = graph.value(op.output).dtype;
  if (dst_dtype != table.dtype) {
    return Unimplemented("gather of {} from a table of {}", Name(dst_dtype), Name(table.dtype));
  }
  const int64_t count = ids.shape.num_elements();
  const int64_t rows = table.shape.dim(0);
  const size_t row_bytes = static_cast<size_t>(table.shape.dim(1)) * SizeOf(table.dtype);
  if (ids.dtype == DType::kInt32) return GatherBy<int32_t>(count, rows, row_bytes, op.layer);
  if (ids.dtype == DType::kInt64) return GatherBy<int64_t>(count, rows, row_bytes, op.layer);
  return Unimplemented("gather by ids of {}", Name(ids.dtype));
}

}  // namespace lazynet::backend::reference
