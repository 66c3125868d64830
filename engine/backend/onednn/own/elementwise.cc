#include "engine/backend/onednn/own/elementwise.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "engine/backend/onednn/own/activation.h"
#include "engine/backend/onednn/own/conversion.h"
#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

// Comparisons are written so that NaN takes the branch of x.
inline float Clamp(float x, float low, float high) {
  const float raised = x < low ? low : x;
  return raised > high ? high : raised;
}

struct Relu {
  static inline float Of(float x, float, float) { return x < 0.0f ? 0.0f : x; }
};
struct ClampTo {
  static inline float Of(float x, float alpha, float beta) { return Clamp(x, alpha, beta); }
};
struct LeakyRelu {
  static inline float Of(float x, float alpha, float) { return x > 0.0f ? x : alpha * x; }
};
struct Hardswish {
  static inline float Of(float x, float, float) { return x * Clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f; }
};
struct Hardsigmoid {
  static inline float Of(float x, float, float) { return Clamp(x + 3.0f, 0.0f, 6.0f) / 6.0f; }
};
struct Linear {
  static inline float Of(float x, float alpha, float beta) { return alpha * x + beta; }
};

struct Softsign {
  static inline float Of(float x, float, float) { return x / (1.0f + std::abs(x)); }
};
struct Hardshrink {
  static inline float Of(float x, float alpha, float) {
    return x >= -alpha && x <= alpha ? 0.0f : x;
  }
};
struct Softshrink {
  static inline float Of(float x, float alpha, float) {
    return x > alpha ? x - alpha : x < -alpha ? x + alpha : 0.0f;
  }
};
struct Threshold {
  static inline float Of(float x, float alpha, float beta) { return x <= alpha ? beta : x; }
};
struct Abs {
  static inline float Of(float x, float, float) { return std::abs(x); }
};
struct Negate {
  static inline float Of(float x, float, float) { return -x; }
};
struct Sign {
  static inline float Of(float x, float, float) {
    return (x > 0.0f ? 1.0f : 0.0f) - (x < 0.0f ? 1.0f : 0.0f);
  }
};
struct Sqrt {
  static inline float Of(float x, float, float) { return std::sqrt(x); }
};
struct Rsqrt {
  static inline float Of(float x, float, float) { return 1.0f / std::sqrt(x); }
};
struct Reciprocal {
  static inline float Of(float x, float, float) { return 1.0f / x; }
};
struct Floor {
  static inline float Of(float x, float, float) { return std::floor(x); }
};
struct Ceil {
  static inline float Of(float x, float, float) { return std::ceil(x); }
};
struct Round {
  static inline float Of(float x, float, float) { return std::nearbyint(x); }
};
struct Trunc {
  static inline float Of(float x, float, float) { return std::trunc(x); }
};

// These loops wait for memory: wider vectors than AVX2's bring nothing.
template <typename F>
void Apply(const float* src, float* dst, size_t size, float alpha, float beta) {
#pragma GCC ivdep
  for (size_t i = 0; i < size; ++i) dst[i] = F::Of(src[i], alpha, beta);
}

template <typename F>
LAZYNET_AVX2 void ApplyAvx2(const float* src, float* dst, size_t size, float alpha, float beta) {
#pragma GCC ivdep
  for (size_t i = 0; i < size; ++i) dst[i] = F::Of(src[i], alpha, beta);
}

// In pieces that stay in the nearest cache as floats.
template <typename F>
void ApplyBf16(const Bf16* src, Bf16* dst, size_t size, float alpha, float beta) {
  constexpr size_t kPiece = 1024;
  alignas(64) float floats[kPiece];
  for (size_t i = 0; i < size; i += kPiece) {
    const size_t count = std::min(kPiece, size - i);
    Convert(src + i, floats, count);
    ApplyAvx2<F>(floats, floats, count, alpha, beta);
    Convert(floats, dst + i, count);
  }
}

template <typename T, typename F>
ElementwiseFunction<T> Select(Isa isa) {
  if constexpr (std::is_same_v<T, Bf16>) {
    return ApplyBf16<F>;
  } else {
    return isa == Isa::kSse2 ? Apply<F> : ApplyAvx2<F>;
  }
}

}  // namespace

template <typename T>
ElementwiseFunction<T> SelectElementwise(Eltwise::Algorithm algorithm, Isa isa) {
  switch (algorithm) {
    case Eltwise::Algorithm::kRelu:
      return Select<T, Relu>(isa);
    case Eltwise::Algorithm::kClamp:
      return Select<T, ClampTo>(isa);
    case Eltwise::Algorithm::kLeakyRelu:
      return Select<T, LeakyRelu>(isa);
    case Eltwise::Algorithm::kHardswish:
      return Select<T, Hardswish>(isa);
    case Eltwise::Algorithm::kHardsigmoid:
      return Select<T, Hardsigmoid>(isa);
    case Eltwise::Algorithm::kLinear:
      return Select<T, Linear>(isa);
    case Eltwise::Algorithm::kSoftsign:
      return Select<T, Softsign>(isa);
    case Eltwise::Algorithm::kHardshrink:
      return Select<T, Hardshrink>(isa);
    case Eltwise::Algorithm::kSoftshrink:
      return Select<T, Softshrink>(isa);
    case Eltwise::Algorithm::kThreshold:
      return Select<T, Threshold>(isa);
    case Eltwise::Algorithm::kAbs:
      return Select<T, Abs>(isa);
    case Eltwise::Algorithm::kNegate:
      return Select<T, Negate>(isa);
    case Eltwise::Algorithm::kSign:
      return Select<T, Sign>(isa);
    case Eltwise::Algorithm::kSqrt:
      return Select<T, Sqrt>(isa);
    case Eltwise::Algorithm::kRsqrt:
      return Select<T, Rsqrt>(isa);
    case Eltwise::Algorithm::kReciprocal:
      return Select<T, Reciprocal>(isa);
    case Eltwise::Algorithm::kFloor:
      return Select<T, Floor>(isa);
    case Eltwise::Algorithm::kCeil:
      return Select<T, Ceil>(isa);
    case Eltwise::Algorithm::kRound:
      return Select<T, Round>(isa);
    case Eltwise::Algorithm::kTrunc:
      return Select<T, Trunc>(isa);
    default:
      return SelectActivation<T>(algorithm, isa);
  }
}

template ElementwiseFunction<float> SelectElementwise(Eltwise::Algorithm algorithm, Isa isa);
template ElementwiseFunction<Bf16> SelectElementwise(Eltwise::Algorithm algorithm, Isa isa);

float ElementwiseOfZero(Eltwise::Algorithm algorithm, float alpha, float beta) {
  float zero = 0;
  SelectElementwise<float>(algorithm, Isa::kSse2)(&zero, &zero, 1, alpha, beta);
  return zero;
}

}  // namespace lazynet::backend::own
