#pragma once

#include <memory>

#include "engine/nn/layer.h"

namespace lazynet::nn {

// Tril and Triu (upper) (diagonal=0): of each matrix what is not above, or not below, a diagonal.
std::unique_ptr<const Layer> MakeTriangle(bool upper, AttributeReader& reader);

}  // namespace lazynet::nn
