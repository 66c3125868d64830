#include "engine/backend/onednn/own/activation.h"

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

#define LAZYNET_KERNELS "engine/backend/onednn/own/activation.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

ElementwiseFunction SelectActivation(Eltwise::Algorithm algorithm, Isa isa) {
  return Select(isa, sse2::SelectFunction, avx2::SelectFunction, avx512::SelectFunction)(algorithm);
}

}  // namespace lazynet::backend::own
