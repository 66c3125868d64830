#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers that take elements by indices that are values. Indices are not negative, as in PyTorch;
// whether they are within is known only when a request runs.

// IndexSelect(dim) of x and an index vector, INT32 or INT64: the slices of x's dim.
std::unique_ptr<const Layer> MakeIndexSelect(AttributeReader& reader);

// Gather(dim) of x and an index of equal rank, INT64: y[i, j, k] = x[i, index[i, j, k], k].
std::unique_ptr<const Layer> MakeGather(AttributeReader& reader);

}  // namespace lazynet::nn
