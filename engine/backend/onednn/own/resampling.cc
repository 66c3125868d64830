#include "engine/backend/onednn/own/resampling.h"

#include <algorithm>
#include <cstring>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

#define LAZYNET_KERNELS "engine/backend/onednn/own/resampling.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

size_t ScratchBytes(const SeparableResampling& resampling) {
  if (resampling.rows.copies) return 0;
  return static_cast<size_t>(resampling.src_width * resampling.inner) * sizeof(float);
}

ResamplingFunction SelectResampling(Isa isa) {
  return Select<ResamplingFunction>(isa, sse2::Resample, avx2::Resample, avx512::Resample);
}

}  // namespace lazynet::backend::own
