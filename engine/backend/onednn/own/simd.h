#pragma once

// g++ 12 takes the undefined operand of AVX512 intrinsics for an oversight.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cstdint>

#include "engine/backend/onednn/own/bf16.h"

namespace lazynet::backend::own {

// The vectors of each instruction set behind one interface. Functions carry their target, so that
// nothing else is compiled for more than the machine may have; callers must carry it too. Addresses
// need no alignment.
//   Max: the larger one, NaN if either is NaN.
//   AtLeast, AtMost: x held to a limit that is not NaN; NaN stays NaN.
//   LoadPart, StorePart: the first 0 < count < kLanes lanes; the others are `rest`, or not written.
//   Load, Store, in Avx512Bf16 LoadPart and StorePart: of BF16 too, as Widen and Narrow do; not in
//   Avx2 and Avx512, which no BF16 reaches.
//   MulAdd, NegMulAdd: c + a * b, c - a * b, rounded once or twice.
//   ReduceAdd, ReduceMax: of all lanes.
//   LoadEven: elements 0, 2, 4, ... of 2 * kLanes.
//   Round: to the nearest integer; only for |x| < 2^31.
//   Scale: x * 2^n for integral -252 <= n <= 252, rounded once or twice.
//   ScaleNormal: the same where x and the result are normal numbers; NaN stays NaN with n NaN.
//   ZeroIfLess: 0 where a < b, else x.
//   IfLess: yes where a < b, else no.

#define LAZYNET_AVX512 __attribute__((target("avx512f")))
#define LAZYNET_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define LAZYNET_AVX2 __attribute__((target("avx2,fma")))

struct Sse2 {
  using Vector = __m128;
  static constexpr int64_t kLanes = 4;

  static inline Vector Set(float x) { return _mm_set1_ps(x); }
  static inline Vector Load(const float* p) { return _mm_loadu_ps(p); }
  static inline Vector Load(const Bf16* p) {
    const __m128i bits = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), bits));
  }
  static inline void Store(float* p, Vector x) { _mm_storeu_ps(p, x); }
  // As Narrow does it.
  static inline void Store(Bf16* p, Vector x) {
    const __m128i bits = _mm_castps_si128(x);
    const __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(1));
    const __m128i rounded = _mm_add_epi32(bits, _mm_add_epi32(odd, _mm_set1_epi32(0x7fff)));
    const __m128i quiet = _mm_or_si128(bits, _mm_set1_epi32(0x400000));
    const __m128i nan = _mm_castps_si128(_mm_cmpunord_ps(x, x));
    const __m128i result = _mm_or_si128(_mm_and_si128(nan, quiet), _mm_andnot_si128(nan, rounded));
    const __m128i upper = _mm_srai_epi32(result, 16);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(upper, upper));
  }
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
  static inline Vector AtLeast(Vector x, Vector low) { return _mm_max_ps(low, x); }
  static inline Vector AtMost(Vector x, Vector high) { return _mm_min_ps(high, x); }
  static inline Vector Abs(Vector x) { return _mm_andnot_ps(Set(-0.0f), x); }
  // In two factors: 2^n alone may be more or less than a float.
  static inline Vector Scale(Vector x, Vector n) {
    const auto power = [](__m128i exponent) {
      return _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(exponent, _mm_set1_epi32(127)), 23));
    };
    const __m128i whole = _mm_cvtps_epi32(n);
    const __m128i half = _mm_srai_epi32(whole, 1);
    return Mul(Mul(x, power(half)), power(_mm_sub_epi32(whole, half)));
  }
  static inline Vector ScaleNormal(Vector x, Vector n) {
    const __m128i exponent = _mm_slli_epi32(_mm_cvtps_epi32(n), 23);
    return _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(x), exponent));
  }
  static inline Vector ZeroIfLess(Vector a, Vector b, Vector x) {
    return _mm_andnot_ps(_mm_cmplt_ps(a, b), x);
  }
  static inline Vector IfLess(Vector a, Vector b, Vector yes, Vector no) {
    const Vector less = _mm_cmplt_ps(a, b);
    return _mm_or_ps(_mm_and_ps(less, yes), _mm_andnot_ps(less, no));
  }

  static inline Vector LoadPart(const float* p, int64_t count, Vector rest) {
    alignas(16) float lanes[kLanes];
    _mm_store_ps(lanes, rest);
    std::copy_n(p, count, lanes);
    return _mm_load_ps(lanes);
  }
  static inline void StorePart(float* p, int64_t count, Vector x) {
    alignas(16) float lanes[kLanes];
    _mm_store_ps(lanes, x);
    std::copy_n(lanes, count, p);
  }
  static inline Vector MulAdd(Vector a, Vector b, Vector c) { return Add(Mul(a, b), c); }
  static inline Vector NegMulAdd(Vector a, Vector b, Vector c) { return Sub(c, Mul(a, b)); }
  static inline float ReduceAdd(Vector x) {
    const Vector pairs = Add(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(Add(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
  }
  static inline float ReduceMax(Vector x) {
    const Vector pairs = Max(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(Max(pairs, _mm_shuffle_ps(pairs, pairs, 1)));
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
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  LAZYNET_AVX2 static inline Vector AtLeast(Vector x, Vector low) { return _mm256_max_ps(low, x); }
  LAZYNET_AVX2 static inline Vector AtMost(Vector x, Vector high) { return _mm256_min_ps(high, x); }
  LAZYNET_AVX2 static inline Vector Abs(Vector x) { return _mm256_andnot_ps(Set(-0.0f), x); }
  LAZYNET_AVX2 static inline Vector Power(__m256i exponent) {
    const __m256i biased = _mm256_add_epi32(exponent, _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
  }
  LAZYNET_AVX2 static inline Vector Scale(Vector x, Vector n) {
    const __m256i whole = _mm256_cvtps_epi32(n);
    const __m256i half = _mm256_srai_epi32(whole, 1);
    return Mul(Mul(x, Power(half)), Power(_mm256_sub_epi32(whole, half)));
  }
  LAZYNET_AVX2 static inline Vector ScaleNormal(Vector x, Vector n) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
  }
  LAZYNET_AVX2 static inline Vector ZeroIfLess(Vector a, Vector b, Vector x) {
    return _mm256_andnot_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ), x);
  }
  LAZYNET_AVX2 static inline Vector IfLess(Vector a, Vector b, Vector yes, Vector no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
  }

  LAZYNET_AVX2 static inline __m256i First(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  LAZYNET_AVX2 static inline Vector LoadPart(const float* p, int64_t count, Vector rest) {
    const __m256i first = First(count);
    return _mm256_blendv_ps(rest, _mm256_maskload_ps(p, first), _mm256_castsi256_ps(first));
  }
  LAZYNET_AVX2 static inline void StorePart(float* p, int64_t count, Vector x) {
    _mm256_maskstore_ps(p, First(count), x);
  }
  LAZYNET_AVX2 static inline Vector MulAdd(Vector a, Vector b, Vector c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  LAZYNET_AVX2 static inline Vector NegMulAdd(Vector a, Vector b, Vector c) {
    return _mm256_fnmadd_ps(a, b, c);
  }
  LAZYNET_AVX2 static inline float ReduceAdd(Vector x) {
    return Sse2::ReduceAdd(Sse2::Add(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1)));
  }
  LAZYNET_AVX2 static inline float ReduceMax(Vector x) {
    return Sse2::ReduceMax(Sse2::Max(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1)));
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
  LAZYNET_AVX512 static inline Vector Round(Vector x) { return _mm512_roundscale_ps(x, 0); }
  LAZYNET_AVX512 static inline Vector AtLeast(Vector x, Vector low) {
    return _mm512_max_ps(low, x);
  }
  LAZYNET_AVX512 static inline Vector AtMost(Vector x, Vector high) {
    return _mm512_min_ps(high, x);
  }
  LAZYNET_AVX512 static inline Vector Abs(Vector x) { return _mm512_abs_ps(x); }
  LAZYNET_AVX512 static inline Vector Scale(Vector x, Vector n) { return _mm512_scalef_ps(x, n); }
  LAZYNET_AVX512 static inline Vector ScaleNormal(Vector x, Vector n) { return Scale(x, n); }
  LAZYNET_AVX512 static inline Vector ZeroIfLess(Vector a, Vector b, Vector x) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ), x);
  }
  LAZYNET_AVX512 static inline Vector IfLess(Vector a, Vector b, Vector yes, Vector no) {
    return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), yes);
  }

  LAZYNET_AVX512 static inline __mmask16 First(int64_t count) {
    return static_cast<__mmask16>((1u << count) - 1u);
  }
  LAZYNET_AVX512 static inline Vector LoadPart(const float* p, int64_t count, Vector rest) {
    return _mm512_mask_loadu_ps(rest, First(count), p);
  }
  LAZYNET_AVX512 static inline void StorePart(float* p, int64_t count, Vector x) {
    _mm512_mask_storeu_ps(p, First(count), x);
  }
  LAZYNET_AVX512 static inline Vector MulAdd(Vector a, Vector b, Vector c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  LAZYNET_AVX512 static inline Vector NegMulAdd(Vector a, Vector b, Vector c) {
    return _mm512_fnmadd_ps(a, b, c);
  }
  LAZYNET_AVX512 static inline Avx2::Vector Upper(Vector x) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
  }
  LAZYNET_AVX512 static inline float ReduceAdd(Vector x) {
    return Avx2::ReduceAdd(Avx2::Add(_mm512_castps512_ps256(x), Upper(x)));
  }
  LAZYNET_AVX512 static inline float ReduceMax(Vector x) {
    return Avx2::ReduceMax(Avx2::Max(_mm512_castps512_ps256(x), Upper(x)));
  }
};

// With the instruction that rounds to BF16. It takes numbers that are not normal for 0.
struct Avx512Bf16 : Avx512 {
  using Avx512::Load;
  using Avx512::LoadPart;
  using Avx512::Store;
  using Avx512::StorePart;

  LAZYNET_AVX512_BF16 static inline Vector Widened(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  LAZYNET_AVX512_BF16 static inline __m256i Narrowed(Vector x) {
    return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x));
  }
  LAZYNET_AVX512_BF16 static inline Vector Load(const Bf16* p) {
    return Widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  LAZYNET_AVX512_BF16 static inline void Store(Bf16* p, Vector x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), Narrowed(x));
  }
  LAZYNET_AVX512_BF16 static inline Vector LoadPart(const Bf16* p, int64_t count, Vector rest) {
    const __mmask16 first = First(count);
    return _mm512_mask_mov_ps(rest, first, Widened(_mm256_maskz_loadu_epi16(first, p)));
  }
  LAZYNET_AVX512_BF16 static inline void StorePart(Bf16* p, int64_t count, Vector x) {
    _mm256_mask_storeu_epi16(p, First(count), Narrowed(x));
  }
};

}  // namespace lazynet::backend::own
