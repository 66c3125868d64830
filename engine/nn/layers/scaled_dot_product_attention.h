#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// torch.nn.functional.scaled_dot_product_attention(dropout_p=0, is_causal=False, scale=None,
// enable_gqa=False). Inputs: query [..., L, E], key [..., S, E], value [..., S, V], whose other
// dims stretch to each other, and optionally a mask that stretches to [..., L, S]: BOOL, where true
// lets a key take part, or floating, which is added. Output: [..., L, V]. enable_gqa: axis -3 of
// query is a multiple of that of key and value, each of which serves a run of the query's.
std::unique_ptr<const Layer> MakeScaledDotProductAttention(AttributeReader& reader);

}  // namespace lazynet::nn
