#include "engine/backend/onednn/own/inner_product.h"

#include <algorithm>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

// Rows whose lines of a block are in the first cache, between the product and dst.
constexpr int64_t kRowsAtOnce = 36;

#define LAZYNET_KERNELS "engine/backend/onednn/own/inner_product.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

InnerProductFunction SelectInnerProduct(Isa isa) {
  return Select<InnerProductFunction>(isa, sse2::MultiplyRows, avx2::MultiplyRows,
                                      avx512::MultiplyRows);
}

}  // namespace lazynet::backend::own
