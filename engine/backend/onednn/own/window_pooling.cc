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

// The divisors of a row's windows, to whole vectors.
int64_t DivisorScratch(const WindowAxis& axis) {
  return static_cast<int64_t>(axis.windows.size()) + Avx512::kLanes;
}

// Windows of one axis that begin `stride` after each other and have equal taps and divisors, as
// all do but those at the ends.
constexpr size_t kAlike = 4;

bool AreAlike(const WindowAxis& axis, size_t first) {
  if (axis.stride == 0 || first + kAlike > axis.windows.size()) return false;
  const WindowAxis::Window& a = axis.windows[first];
  const WindowAxis::Window& b = axis.windows[first + kAlike - 1];
  return a.count == axis.kernel && b.count == axis.kernel && a.divisor == b.divisor;
}

#define LAZYNET_OF_BF16
#define LAZYNET_KERNELS "engine/backend/onednn/own/window_pooling.inc"
#include "engine/backend/onednn/own/for_each_isa.inc"

}  // namespace

WindowAxis UnitAxis() {
  WindowAxis axis;
  axis.windows.push_back({0, 1, 1});
  return axis;
}

size_t ScratchBytes(const WindowPooling& pooling) {
  if (pooling.inner > 1) return 0;
  const WindowAxis& width = pooling.axes[2];
  return static_cast<size_t>(RowScratch(width) + DivisorScratch(width)) * sizeof(float);
}

template <>
WindowPoolingFunction<float> SelectWindowPooling(Isa isa) {
  return Select<WindowPoolingFunction<float>>(isa, sse2::Pool<float>, avx2::Pool<float>,
                                              avx512::Pool<float>);
}

template <>
WindowPoolingFunction<Bf16> SelectWindowPooling(Isa) {
  return avx512_bf16::Pool<Bf16>;
}

}  // namespace lazynet::backend::own
