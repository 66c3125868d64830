#include "engine/backend/onednn/own/elementwise.h"

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

template <typename F>
ElementwiseFunction Select(Isa isa) {
  return isa == Isa::kSse2 ? Apply<F> : ApplyAvx2<F>;
}

}  // namespace

ElementwiseFunction SelectElementwise(Eltwise::Algorithm algorithm, Isa isa) {
  switch (algorithm) {
    case Eltwise::Algorithm::kRelu:
      return Select<Relu>(isa);
    case Eltwise::Algorithm::kClamp:
      return Select<ClampTo>(isa);
    case Eltwise::Algorithm::kLeakyRelu:
      return Select<LeakyRelu>(isa);
    case Eltwise::Algorithm::kHardswish:
      return Select<Hardswish>(isa);
    case Eltwise::Algorithm::kHardsigmoid:
      return Select<Hardsigmoid>(isa);
    case Eltwise::Algorithm::kLinear:
      return Select<Linear>(isa);
    default:
      return nullptr;
  }
}

float ElementwiseOfZero(Eltwise::Algorithm algorithm, float alpha, float beta) {
  float zero = 0;
  SelectElementwise(algorithm, Isa::kSse2)(&zero, &zero, 1, alpha, beta);
  return zero;
}

}  // namespace lazynet::backend::own
