#pragma once

#include "engine/core/tensor.h"
#include "engine/init/fma.h"
#include "engine/init/generator.h"

namespace lazynet::init {

// All fill `dst` (FP32, FP64, FP16 or BF16) with the bits that PyTorch 1.13 leaves in a contiguous
// CPU tensor on a machine with AVX2, and leave the generator where PyTorch does. They allocate
// nothing. `path` says how to compute, not what: only tests choose it.
//
// FP32 and FP64 are the same in every PyTorch release so far; the 16-bit types follow the rule
// that held until early 2026. FP64 and 16-bit normals, all normals below 16 elements and all
// truncated normals use the C library's log, exp, erf, sin and cos; glibc's last bits for doubles
// depend on whether the processor has FMA.

// tensor.uniform_(lo, hi). One word per element, two for FP64; `hi - lo` must be finite in the
// element type. The 16-bit types, whose results are rounded, may return hi.
void Uniform(Generator& generator, double lo, double hi, const MutableTensorView& dst,
             FmaPath path = BestFmaPath());

// tensor.normal_(mean, std). From 16 elements on: one word per element (two for FP64), and 16 more
// elements' worth when the count is no multiple of 16. Below: four words per two elements, and the
// second value of the last pair waits in the generator (Generator::CacheNormal).
void Normal(Generator& generator, double mean, double std, const MutableTensorView& dst,
            FmaPath path = BestFmaPath());

// torch.nn.init.trunc_normal_(tensor, mean, std, a, b): a uniform draw between the normal
// distribution's values at a and b, through its inverse; std > 0, a <= b. The words are Uniform's.
// Not FP16, for which PyTorch 1.13 has no erfinv.
void TruncatedNormal(Generator& generator, double mean, double std, double a, double b,
                     const MutableTensorView& dst);

// Leave the generator where Uniform and Normal would leave it after `count` elements of `dtype`.
void SkipUniform(Generator& generator, DType dtype, int64_t count);
void SkipNormal(Generator& generator, DType dtype, int64_t count);

}  // namespace lazynet::init
