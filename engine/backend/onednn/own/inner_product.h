#pragma once

#include <cstdint>

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/onednn/own/packed_product.h"

namespace lazynet::backend::own {

// dst [rows, units] = src [rows, inputs] times the matrix of a product of one gate, plus its bias,
// held to [low, high], which are no NaN; NaN stays NaN. Each sum is made in one order, of the bias
// and then input by input: a row's result does not depend on the others.
struct InnerProduct {
  PackedProduct product;
  const float* packed = nullptr;
  float low = 0;
  float high = 0;
};

// Runs on one thread.
using InnerProductFunction = void (*)(const InnerProduct& operands, int64_t rows, const float* src,
                                      float* dst);
InnerProductFunction SelectInnerProduct(Isa isa);

}  // namespace lazynet::backend::own
