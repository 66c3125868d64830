#include <cstring>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {

absl::StatusOr<AnyRun> MakeRun(const Concat& kind, const Graph& graph, const Op& op) {
  const Value& dst = graph.value(op.output);
  const int64_t outer = Product(dst.shape, 0, kind.axis);
  std::vector<size_t> pieces;  // per input, the bytes that lie together in dst
  for (const ValueId input : op.inputs) {
    const Value& src = graph.value(input);
    if (src.dtype != dst.dtype) {
      return Unimplemented("concat of {} and {}", Name(dst.dtype), Name(src.dtype));
    }
    const int64_t piece = Product(src.shape, kind.axis, src.shape.rank());
    pieces.push_back(static_cast<size_t>(piece) * SizeOf(src.dtype));
  }
  return [outer, pieces](const AnyOperands& operands) {
    auto* dst_data = operands.dst<std::byte>();
    for (size_t i = 0; i < static_cast<size_t>(outer); ++i) {
      for (size_t input = 0; input < pieces.size(); ++input) {
        const size_t bytes = pieces[input];
        if (bytes == 0) continue;
        std::memcpy(dst_data, operands.src<std::byte>(input) + i * bytes, bytes);
        dst_data += bytes;
      }
    }
    return absl::OkStatus();
  };
}

}  // namespace lazynet::backend::reference
