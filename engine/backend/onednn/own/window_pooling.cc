#include "engine/backend/onednn/own/window_pooling.h"

#include <algorithm>
#include <limits>

#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

// Elements of a combined row with its paddings: what windows cover when their number is rounded up
// to whole vectors of the widest kind, which read two vectors where the stride is 2.
int64_t RowScratch(const WindowAxis& axis) {
  const auto windows = static_cast<int64_t>(axis.windows.size());
  const int64_t covered = (windows + 2 * Avx512::kLanes) * std::max<int64_t>(axis.stride, 1) +
                          std::max<int64_t>(axis.kernel, 1) * axis.step;
  return std::max(covered, axis.padding + axis.src_size);
}

namespace sse2 {
#define LAZYNET_SIMD Sse2
#define LAZYNET_TARGET
#include "engine/backend/onednn/own/window_pooling.inc"
#undef LAZYNET_SIMD
#undef LAZYNET_TARGET
}  // namespace sse2

namespace avx2 {
#define LAZYNET_SIMD Avx2
#define LAZYNET_TARGET LAZYNET_AVX2
#include "engine/backend/onednn/own/window_pooling.inc"
#undef LAZYNET_SIMD
#undef LAZYNET_TARGET
}  // namespace avx2

namespace avx512 {
#define LAZYNET_SIMD Avx512
#define LAZYNET_TARGET LAZYNET_AVX512
#include "engine/backend/onednn/own/window_pooling.inc"
#undef LAZYNET_SIMD
#undef LAZYNET_TARGET
}  // namespace avx512

}  // namespace

WindowAxis UnitAxis() {
  WindowAxis axis;
  axis.windows.push_back({0, 1, 1});
  return axis;
}

size_t ScratchBytes(const WindowPooling& pooling) {
  if (pooling.inner > 1) return 0;
  return static_cast<size_t>(RowScratch(pooling.axes[2])) * sizeof(float);
}

WindowPoolingFunction SelectWindowPooling(Isa isa) {
  switch (isa) {
    case Isa::kAvx512:
      return avx512::Pool;
    case Isa::kAvx2:
      return avx2::Pool;
    case Isa::kSse2:
      break;
  }
  return sse2::Pool;
}

}  // namespace lazynet::backend::own
