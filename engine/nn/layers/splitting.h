#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers of several outputs, "0", "1", ...

// Chunk(chunks, dim=0): pieces of ceil(size / chunks), the last of what is left. As many as said.
std::unique_ptr<const Layer> MakeChunk(AttributeReader& reader);

// Split(split_size, dim=0, count): pieces of one size, `count` of them, the last of what is left;
// or pieces of the listed sizes, which make up the dim.
std::unique_ptr<const Layer> MakeSplit(AttributeReader& reader);

// Unbind(dim=0, count): the `count` slices of a dim, which goes.
std::unique_ptr<const Layer> MakeUnbind(AttributeReader& reader);

}  // namespace lazynet::nn
