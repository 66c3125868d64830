#include "engine/nn/layers/attention.h"

#include <cmath>

namespace lazynet::nn {
namespace {

using backend::ValueId;

// [L, N, E] or [N, L, E] -> [N, heads, L, E / heads].
ValueId SplitHeads(Lowering& lowering, const AttentionShape& shape, ValueId src, int64_t length) {
  const int64_t heads = shape.num_heads;
  const int64_t width = shape.embed_dim / heads;
  const ValueId split =
      lowering.Reshape(src, shape.batch_first ? Shape{shape.batch, length, heads, width}
                                              : Shape{length, shape.batch, heads, width});
  const backend::Permute permute{shape.batch_first ? backend::AxisVector{0, 2, 1, 3}
                                                   : backend::AxisVector{1, 2, 0, 3}};
  return lowering.Add(permute, {split}, Shape{shape.batch, heads, length, width});
}

ValueId JoinHeads(Lowering& lowering, const AttentionShape& shape, ValueId src) {
  const int64_t length = shape.query_length;
  const int64_t heads = shape.num_heads;
  const int64_t width = shape.embed_dim / heads;
  if (shape.batch_first) {
    const ValueId back = lowering.Add(backend::Permute{{0, 2, 1, 3}}, {src},
                                      Shape{shape.batch, length, heads, width});
    return lowering.Reshape(back, Shape{shape.batch, length, shape.embed_dim});
  }
  const ValueId back =
      lowering.Add(backend::Permute{{2, 0, 1, 3}}, {src}, Shape{length, shape.batch, heads, width});
  return lowering.Reshape(back, Shape{length, shape.batch, shape.embed_dim});
}

}  // namespace

ValueId Attend(Lowering& lowering, const AttentionShape& shape, ValueId query, ValueId key,
               ValueId value) {
  const int64_t width = shape.embed_dim / shape.num_heads;
  const ValueId q = SplitHeads(lowering, shape, query, shape.query_length);
  const ValueId k = SplitHeads(lowering, shape, key, shape.key_length);
  const ValueId v = SplitHeads(lowering, shape, value, shape.key_length);
  const Shape scores{shape.batch, shape.num_heads, shape.query_length, shape.key_length};
  ValueId weights = lowering.Add(
      backend::MatMul{.transpose_b = true, .alpha = 1.0 / std::sqrt(static_cast<double>(width))},
      {q, k}, scores);
  weights = lowering.Add(backend::Softmax{.axis = 3}, {weights}, scores);
  const ValueId context =
      lowering.Add(backend::MatMul{}, {weights, v},
                   Shape{shape.batch, shape.num_heads, shape.query_length, width});
  return JoinHeads(lowering, shape, context);
}

ValueId Project(Lowering& lowering, ValueId src, ValueId weight, ValueId bias) {
  const Shape shape = lowering.shape(src);
  const int64_t rows = shape.dim(0) * shape.dim(1);
  const int64_t out = lowering.shape(weight).dim(0);
  const ValueId flat = lowering.Reshape(src, Shape{rows, shape.dim(2)});
  const ValueId dst = lowering.Add(backend::InnerProduct{}, {flat, weight, bias}, Shape{rows, out});
  return lowering.Reshape(dst, Shape{shape.dim(0), shape.dim(1), out});
}

}  // namespace lazynet::nn
