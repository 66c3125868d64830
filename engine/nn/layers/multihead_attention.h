#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// MultiheadAttention(embed_dim, num_heads, dropout=0, bias=True, add_bias_kv=False,
// add_zero_attn=False, kdim=None, vdim=None, batch_first=False) and the arguments of its call:
// key_padding_mask and attn_mask, here whether there is an input for them, and
// average_attn_weights=True. Inputs: query, key, value, each [L, N, E], batch-first [N, L, E], or
// without N; one input serves as all three; then the masks (attention.h). Outputs: like the query,
// and attn_output_weights [N, L, S] or [N, heads, L, S]. Lazy embed_dim: the query's last dim.
//
// kdim and vdim are embed_dim unless given; -1 leaves them lazy, from key and value. As in PyTorch
// the projections are one parameter, in_proj_weight, unless kdim or vdim are given and differ, or
// may differ, from embed_dim.
std::unique_ptr<const Layer> MakeMultiheadAttention(AttributeReader& reader);

}  // namespace lazynet::nn
