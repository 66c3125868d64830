#include <algorithm>
#include <cstring>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {

absl::StatusOr<AnyRun> MakeRun(const Triangle& kind, const Graph& graph, const Op& op) {
  const Value& value = graph.value(op.output);
  const int64_t rows = value.shape.dim(-2);
  const int64_t columns = value.shape.dim(-1);
  const int64_t matrices = Product(value.shape, 0, value.shape.rank() - 2);
  const size_t element = SizeOf(value.dtype);
  const size_t row_bytes = static_cast<size_t>(columns) * element;
  return [=](const AnyOperands& operands) {
    const auto* src = operands.src<std::byte>(0);
    auto* dst = operands.dst<std::byte>();
    for (int64_t i = 0; i < matrices * rows; ++i, src += row_bytes, dst += row_bytes) {
      // The columns [begin, end) are kept.
      const int64_t row = i % rows;
      const int64_t begin = kind.upper ? std::clamp<int64_t>(row + kind.diagonal, 0, columns) : 0;
      const int64_t end =
          kind.upper ? columns : std::clamp<int64_t>(row + kind.diagonal + 1, 0, columns);
      const size_t first = static_cast<size_t>(begin) * element;
      const size_t last = static_cast<size_t>(end) * element;
      std::memset(dst, 0, first);
      std::memcpy(dst + first, src + first, last - first);
      std::memset(dst + last, 0, row_bytes - last);
    }
    return absl::OkStatus();
  };
}

}  // namespace lazynet::backend::reference
