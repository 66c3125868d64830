#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// torch.matmul of two inputs of one dtype, not BOOL: matrices in the last two axes, of batches that
// broadcast. A vector is a row on the left, a column on the right, and its axis is dropped from the
// result.
std::unique_ptr<const Layer> MakeMatmul(AttributeReader& reader);

}  // namespace lazynet::nn
