#include "engine/backend/onednn/own/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

#define LAZYNET_KERNELS "engine/backend/onednn/own/softmax.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

SoftmaxFunction SelectSoftmax(Isa isa) {
  return Select<SoftmaxFunction>(isa, sse2::Softmax, avx2::Softmax, avx512::Softmax);
}

}  // namespace lazynet::backend::own
