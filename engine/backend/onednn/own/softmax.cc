#include "engine/backend/onednn/own/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Where the powers of a row stay until their sum is known: in dst, or else unrounded in scratch.
float* PowersOf(float* dst, float*) { return dst; }
float* PowersOf(Bf16*, float* scratch) { return scratch; }

#define LAZYNET_OF_BF16
#define LAZYNET_KERNELS "engine/backend/onednn/own/softmax.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

template <>
size_t SoftmaxScratchBytes<float>(const SoftmaxShape&) {
  return 0;
}

template <>
size_t SoftmaxScratchBytes<Bf16>(const SoftmaxShape& shape) {
  const int64_t rows = shape.inner == 1 ? 1 : Avx512::kLanes;
  return static_cast<size_t>(shape.size * rows) * sizeof(float);
}

template <>
SoftmaxFunction<float> SelectSoftmax(Isa isa) {
  return Select<SoftmaxFunction<float>>(isa, sse2::Softmax<float>, avx2::Softmax<float>,
                                        avx512::Softmax<float>);
}

template <>
SoftmaxFunction<Bf16> SelectSoftmax(Isa) {
  return avx512_bf16::Softmax<Bf16>;
}

}  // namespace lazynet::backend::own
