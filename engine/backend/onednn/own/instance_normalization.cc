#include "engine/backend/onednn/own/instance_normalization.h"

#include <algorithm>
#include <cmath>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

#define LAZYNET_KERNELS "engine/backend/onednn/own/instance_normalization.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

InstanceNormalizationFunction SelectInstanceNormalization(Isa isa) {
  return Select<InstanceNormalizationFunction>(isa, sse2::Normalize, avx2::Normalize,
                                               avx512::Normalize);
}

}  // namespace lazynet::backend::own
