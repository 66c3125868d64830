#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// EmbeddingBag(num_embeddings, embedding_dim, mode='mean', include_last_offset=False,
// padding_idx=None). Inputs, as in its call: ids [B, L]; or ids [K] and offsets [B], of one dtype,
// INT32 or INT64; and with mode sum also per_sample_weights, shaped as the ids, last. Output:
// [B, embedding_dim]. An id outside the table and offsets that descend are errors of the request.
std::unique_ptr<const Layer> MakeEmbeddingBag(AttributeReader& reader);

}  // namespace lazynet::nn
