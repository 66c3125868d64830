#include "engine/backend/onednn/own/conversion.h"

#include "engine/backend/onednn/own/isa.h"
#include "engine/backend/onednn/own/simd.h"

namespace lazynet::backend::own {
namespace {

using Simd = Avx512Bf16;

template <typename Src, typename Dst>
LAZYNET_AVX512_BF16 void ConvertVectors(const Src* src, Dst* dst, int64_t size) {
  int64_t i = 0;
  for (; i + Simd::kLanes <= size; i += Simd::kLanes) Simd::Store(dst + i, Simd::Load(src + i));
  if (i == size) return;
  Simd::StorePart(dst + i, size - i, Simd::LoadPart(src + i, size - i, Simd::Set(0)));
}

template <typename Src, typename Dst>
void ConvertAll(const Src* src, Dst* dst, size_t size) {
  static const bool has_vectors = DetectBf16();
  if (has_vectors) return ConvertVectors(src, dst, static_cast<int64_t>(size));
  for (size_t i = 0; i < size; ++i) dst[i] = Narrow<Dst>(Widen(src[i]));
}

}  // namespace

void Convert(const float* src, Bf16* dst, size_t size) { ConvertAll(src, dst, size); }
void Convert(const Bf16* src, float* dst, size_t size) { ConvertAll(src, dst, size); }

}  // namespace lazynet::backend::own
