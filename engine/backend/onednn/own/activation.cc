#include "engine/backend/onednn/own/activation.h"

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

#define LAZYNET_OF_BF16
#define LAZYNET_KERNELS "engine/backend/onednn/own/activation.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

template <>
ElementwiseFunction<float> SelectActivation(Eltwise::Algorithm algorithm, Isa isa) {
  return Select(isa, sse2::SelectFunction<float>, avx2::SelectFunction<float>,
                avx512::SelectFunction<float>)(algorithm);
}

template <>
ElementwiseFunction<Bf16> SelectActivation(Eltwise::Algorithm algorithm, Isa) {
  return avx512_bf16::SelectFunction<Bf16>(algorithm);
}

}  // namespace lazynet::backend::own
