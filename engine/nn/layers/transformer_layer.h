#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// TransformerEncoderLayer and TransformerDecoderLayer(d_model, nhead, dim_feedforward=2048,
// dropout=0.1, activation='relu', layer_norm_eps=1e-5, batch_first=False, norm_first=False):
// [L, N, d_model], batch-first [N, L, d_model], or without N; shape kept. Lazy d_model: the last
// dim. With x the input and f1, f2, ... the parts: x = norm1(x + f1(x)), x = norm2(x + f2(x)), ...;
// norm_first: x = x + f1(norm1(x)), ... The parts of an encoder layer are self-attention and two
// linear layers; a decoder layer attends in between to a second input, the memory.
//
// Arguments of the call say which masks there are (attention.h), as inputs in the order of the
// call: src_mask, src_key_padding_mask; tgt_mask, memory_mask, tgt_key_padding_mask,
// memory_key_padding_mask.
std::unique_ptr<const Layer> MakeTransformerEncoderLayer(AttributeReader& reader);
std::unique_ptr<const Layer> MakeTransformerDecoderLayer(AttributeReader& reader);

}  // namespace lazynet::nn
