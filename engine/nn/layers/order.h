#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// topk(k, dim=-1, largest=True, sorted=True): the outputs are the values, ordered whatever `sorted`
// says, and their indices. Of equal elements the first come first; NaN counts as largest.
std::unique_ptr<const Layer> MakeTopk(AttributeReader& reader);

// sort(dim=-1, descending=False, stable=False): values and indices, in an order that is stable
// whatever `stable` says.
std::unique_ptr<const Layer> MakeSort(AttributeReader& reader);

// cumsum(dim): INT64 of BOOL and integers.
std::unique_ptr<const Layer> MakeCumsum(AttributeReader& reader);

}  // namespace lazynet::nn
