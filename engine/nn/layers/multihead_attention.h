#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// MultiheadAttention(embed_dim, num_heads, dropout=0, bias=True, kdim=None, vdim=None,
// batch_first=False). Inputs: query, key, value, each [L, N, E], batch-first [N, L, E], or without
// N; one input serves as all three. Lazy embed_dim: the query's last dim.
//
// kdim and vdim are embed_dim unless given; -1 leaves them lazy, from key and value. As in PyTorch
// the projections are one parameter, in_proj_weight, unless kdim or vdim are given and differ, or
// may differ, from embed_dim.
std::unique_ptr<const Layer> MakeMultiheadAttention(AttributeReader& reader);

}  // namespace lazynet::nn
