#pragma once

#include <cstdint>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// The sizes of a query and of what it attends to, and where their axes lie.
struct AttentionShape {
  int64_t batch = 1;
  int64_t query_length = 1;
  int64_t key_length = 1;
  int64_t embed_dim = 1;
  int64_t num_heads = 1;
  bool batch_first = false;
};

// Scaled dot-product attention of many heads, after the projections and before the last one.
// query [L, N, E], key and value [S, N, E], or batch-first [N, L, E] and [N, S, E] -> like query:
// softmax(q k^T / sqrt(E / heads)) v, per head, heads side by side.
backend::ValueId Attend(Lowering& lowering, const AttentionShape& shape, backend::ValueId query,
                        backend::ValueId key, backend::ValueId value);

// x W^T + b over the last axis of x [A, B, in]; bias may be kNoValue.
backend::ValueId Project(Lowering& lowering, backend::ValueId src, backend::ValueId weight,
                         backend::ValueId bias);

}  // namespace lazynet::nn
