#include <cstring>

#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

absl::Status Outside(const std::string& layer, int64_t size, int64_t index) {
  return InvalidArgument("layer \"{}\": wants indices in [0, {}), got {}", layer, size, index);
}

// src [outer, size, inner], index [count] -> dst [outer, count, inner].
template <typename Index>
AnyRun Select(int64_t outer, int64_t size, size_t inner_bytes, int64_t count, std::string layer) {
  return [=, layer = std::move(layer)](const AnyOperands& operands) -> absl::Status {
    const auto* src = operands.src<std::byte>(0);
    const auto* index = operands.src<Index>(1);
    auto* dst = operands.dst<std::byte>();
    for (int64_t i = 0; i < count; ++i) {
      if (index[i] < 0 || index[i] >= size) return Outside(layer, size, index[i]);
    }
    for (int64_t o = 0; o < outer; ++o, src += static_cast<size_t>(size) * inner_bytes) {
      for (int64_t i = 0; i < count; ++i, dst += inner_bytes) {
        std::memcpy(dst, src + static_cast<size_t>(index[i]) * inner_bytes, inner_bytes);
      }
    }
    return absl::OkStatus();
  };
}

// Element (i, ...) of the box of index's `axes` from `src` on.
struct Along {
  struct Axis {
    int64_t size;        // of index and dst
    int64_t src_stride;  // 0 on the axis that is indexed
  };

  std::vector<Axis> axes;
  int64_t size = 0;    // of the axis that is indexed
  int64_t stride = 0;  // its stride in src
  size_t element = 1;
  std::string layer;

  // Advances index and dst by the elements it went through.
  absl::Status Run(size_t at, const std::byte* src, const int64_t*& index, std::byte*& dst) const {
    if (at == axes.size()) {
      if (*index < 0 || *index >= size) return Outside(layer, size, *index);
      std::memcpy(dst, src + static_cast<size_t>(*index * stride) * element, element);
      ++index;
      dst += element;
      return absl::OkStatus();
    }
    const size_t step = static_cast<size_t>(axes[at].src_stride) * element;
    for (int64_t i = 0; i < axes[at].size; ++i, src += step) {
      RETURN_IF_ERROR(Run(at + 1, src, index, dst));
    }
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const IndexSelect& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const Value& index = graph.value(op.inputs[1]);
  const int rank = src.shape.rank();
  const int64_t outer = Product(src.shape, 0, kind.axis);
  const int64_t size = rank == 0 ? 1 : src.shape.dim(kind.axis);
  const int64_t inner = rank == 0 ? 1 : Product(src.shape, kind.axis + 1, rank);
  const size_t inner_bytes = static_cast<size_t>(inner) * SizeOf(src.dtype);
  const int64_t count = index.shape.num_elements();
  if (index.dtype == DType::kInt32) {
    return Select<int32_t>(outer, size, inner_bytes, count, op.layer);
  }
  if (index.dtype == DType::kInt64) {
    return Select<int64_t>(outer, size, inner_bytes, count, op.layer);
  }
  return Unimplemented("index_select by indices of {}", Name(index.dtype));
}

absl::StatusOr<AnyRun> MakeRun(const GatherAlong& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const Value& index = graph.value(op.inputs[1]);
  if (index.dtype != DType::kInt64) {
    return Unimplemented("gather_along by indices of {}", Name(index.dtype));
  }
  Along along{.axes = {},
              .size = src.shape.rank() == 0 ? 1 : src.shape.dim(kind.axis),
              .element = SizeOf(src.dtype),
              .layer = op.layer};
  int64_t stride = 1;
  along.axes.resize(static_cast<size_t>(src.shape.rank()));
  for (int axis = src.shape.rank(); axis-- > 0;) {
    if (axis == kind.axis) along.stride = stride;
    along.axes[static_cast<size_t>(axis)] = {index.shape.dim(axis), axis == kind.axis ? 0 : stride};
    stride *= src.shape.dim(axis);
  }
  return [along = std::move(along)](const AnyOperands& operands) {
    const auto* next = operands.src<int64_t>(1);
    auto* dst = operands.dst<std::byte>();
    return along.Run(0, operands.src<std::byte>(0), next, dst);
  };
}

}  // namespace lazynet::backend::reference
