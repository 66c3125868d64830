#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// TransformerEncoderLayer(d_model, nhead, dim_feedforward=2048, dropout=0.1, activation='relu',
// layer_norm_eps=1e-5, batch_first=False, norm_first=False): [L, N, d_model], batch-first
// [N, L, d_model], or without N; shape kept. Lazy d_model: the last dim. With x the input, sa
// self-attention and ff the two linear layers: norm1(x + sa(x)), then norm2(x + ff(x)); norm_first:
// x + sa(norm1(x)), then x + ff(norm2(x)).
std::unique_ptr<const Layer> MakeTransformerEncoderLayer(AttributeReader& reader);

}  // namespace lazynet::nn
