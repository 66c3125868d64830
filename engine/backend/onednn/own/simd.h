#pragma once

#include <immintrin.h>

#include <cstdint>

namespace lazynet::backend::own {

// The vectors of each instruction set behind one interface. Functions carry their target, so that
// nothing else is compiled for more than the machine may have; callers must carry it too. Addresses
// need no alignment.
//   Max: the larger one, NaN if either is NaN.
//   LoadEven: elements 0, 2, 4, ... of 2 * kLanes.
//   Round: to the nearest integer; only for |x| < 2^31.
//   Scale: x * 2^n for integral -126 <= n <= 0.
//   ZeroIfLess: 0 where a < b, else x.

#define LAZYNET_AVX512 __attribute__((target("avx512f")))
#define LAZYNET_AVX2 __attribute__((target("avx2")))

struct Sse2 {
  using Vector = __m128;
  static constexpr int64_t kLanes = 4;

  static inline Vector Set(float x) { return _mm_set1_ps(x); }
  static inline Vector Load(const float* p) { return _mm_loadu_ps(p); }
  static inline void Store(float* p, Vector x) { _mm_storeu_ps(p, x); }
  static inline Vector LoadEven(const float* p) {
    return _mm_shuffle_ps(Load(p), Load(p + 4), _MM_SHUFFLE(2, 0, 2, 0));
  }
  static inline Vector Add(Vector a, Vector b) { return _mm_add_ps(a, b); }
  static inline Vector Div(Vector a, Vector b) { return _mm_div_ps(a, b); }
  static inline Vector Max(Vector a, Vector b) {
    // maxps gives b when either is NaN; what is lost is a NaN in a.
    const Vector nan = _mm_cmpunord_ps(a, a);
    return _mm_or_ps(_mm_and_ps(nan, a), _mm_andnot_ps(nan, _mm_max_ps(a, b)));
  }
  static inline Vector Sub(Vector a, Vector b) { return _mm_sub_ps(a, b); }
  static inline Vector Mul(Vector a, Vector b) { return _mm_mul_ps(a, b); }
  static inline Vector Sqrt(Vector x) { return _mm_sqrt_ps(x); }
  static inline Vector Round(Vector x) { return _mm_cvtepi32_ps(_mm_cvtps_epi32(x)); }
  static inline Vector Scale(Vector x, Vector n) {
    const __m128i exponent = _mm_add_epi32(_mm_cvtps_epi32(n), _mm_set1_epi32(127));
    return _mm_mul_ps(x, _mm_castsi128_ps(_mm_slli_epi32(exponent, 23)));
  }
  static inline Vector ZeroIfLess(Vector a, Vector b, Vector x) {
    return _mm_andnot_ps(_mm_cmplt_ps(a, b), x);
  }
};

struct Avx2 {
  using Vector = __m256;
  static constexpr int64_t kLanes = 8;

  LAZYNET_AVX2 static inline Vector Set(float x) { return _mm256_set1_ps(x); }
  LAZYNET_AVX2 static inline Vector Load(const float* p) { return _mm256_loadu_ps(p); }
  LAZYNET_AVX2 static inline void Store(float* p, Vector x) { _mm256_storeu_ps(p, x); }
  LAZYNET_AVX2 static inline Vector LoadEven(const float* p) {
    const Vector halves = _mm256_shuffle_ps(Load(p), Load(p + 8), _MM_SHUFFLE(2, 0, 2, 0));
    return _mm256_castpd_ps(
        _mm256_permute4x64_pd(_mm256_castps_pd(halves), _MM_SHUFFLE(3, 1, 2, 0)));
  }
  LAZYNET_AVX2 static inline Vector Add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  LAZYNET_AVX2 static inline Vector Div(Vector a, Vector b) { return _mm256_div_ps(a, b); }
  LAZYNET_AVX2 static inline Vector Max(Vector a, Vector b) {
    return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  }
  LAZYNET_AVX2 static inline Vector Sub(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  LAZYNET_AVX2 static inline Vector Mul(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  LAZYNET_AVX2 static inline Vector Sqrt(Vector x) { return _mm256_sqrt_ps(x); }
  LAZYNET_AVX2 static inline Vector Round(Vector x) {
    return _mm256_cvtepi32_ps(_mm256_cvtps_epi32(x));
  }
  LAZYNET_AVX2 static inline Vector Scale(Vector x, Vector n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
  }
  LAZYNET_AVX2 static inline Vector ZeroIfLess(Vector a, Vector b, Vector x) {
    return _mm256_andnot_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ), x);
  }
};

struct Avx512 {
  using Vector = __m512;
  static constexpr int64_t kLanes = 16;

  LAZYNET_AVX512 static inline Vector Set(float x) { return _mm512_set1_ps(x); }
  LAZYNET_AVX512 static inline Vector Load(const float* p) { return _mm512_loadu_ps(p); }
  LAZYNET_AVX512 static inline void Store(float* p, Vector x) { _mm512_storeu_ps(p, x); }
  LAZYNET_AVX512 static inline Vector LoadEven(const float* p) {
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_ps(Load(p), even, Load(p + 16));
  }
  LAZYNET_AVX512 static inline Vector Add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  LAZYNET_AVX512 static inline Vector Div(Vector a, Vector b) { return _mm512_div_ps(a, b); }
  LAZYNET_AVX512 static inline Vector Max(Vector a, Vector b) {
    return _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a);
  }
  LAZYNET_AVX512 static inline Vector Sub(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  LAZYNET_AVX512 static inline Vector Mul(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  LAZYNET_AVX512 static inline Vector Sqrt(Vector x) { return _mm512_sqrt_ps(x); }
  LAZYNET_AVX512 static inline Vector Round(Vector x) {
    return _mm512_cvtepi32_ps(_mm512_cvtps_epi32(x));
  }
  LAZYNET_AVX512 static inline Vector Scale(Vector x, Vector n) { return _mm512_scalef_ps(x, n); }
  LAZYNET_AVX512 static inline Vector ZeroIfLess(Vector a, Vector b, Vector x) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ), x);
  }
};

}  // namespace lazynet::backend::own
