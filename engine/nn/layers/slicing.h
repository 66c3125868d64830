#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Layers that take parts of an axis, or all of it in another order.

// Slice(dim=0, start=0, end=size, step=1): x[start:end:step] of that dim, by Python's rules.
std::unique_ptr<const Layer> MakeSlice(AttributeReader& reader);

// Select(dim, index): x[index] of that dim, which goes.
std::unique_ptr<const Layer> MakeSelect(AttributeReader& reader);

// Flip(dims): the dims from the end to the beginning.
std::unique_ptr<const Layer> MakeFlip(AttributeReader& reader);

// Roll(shifts, dims): what is shifted beyond the end comes in at the beginning. Without dims all
// elements are one dim.
std::unique_ptr<const Layer> MakeRoll(AttributeReader& reader);

}  // namespace lazynet::nn
