#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Embedding(num_embeddings, embedding_dim, padding_idx=None): ids [...] INT32 or INT64 ->
// [..., embedding_dim]. Nothing of it is lazy. The row of padding_idx starts as zeros.
std::unique_ptr<const Layer> MakeEmbedding(AttributeReader& reader);

}  // namespace lazynet::nn
