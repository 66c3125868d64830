#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <span>

#include "engine/core/check.h"
#include "engine/core/float16.h"
#include "engine/init/distributions.h"

namespace lazynet::init {
namespace {

template <typename T>
T Fused(T a, T b, T c) {
  return Fma<FmaPath::kPortable>(a, b, c);
}

// PyTorch's calc_erfinv: a rational approximation and two steps of Newton's method. Its AVX2 build
// fuses the polynomials and nothing else.
template <typename T>
T InverseErf(T y) {
  const T size = std::abs(y);
  if (!(size <= T{1})) return std::numeric_limits<T>::quiet_NaN();
  if (size == T{1}) return std::copysign(std::numeric_limits<T>::infinity(), y);
  T x;
  if (size <= static_cast<T>(0.7)) {
    const T z = y * y;
    T numerator = Fused(T(-0.140543331), z, T(0.914624893));
    numerator = Fused(numerator, z, T(-1.645349621));
    numerator = Fused(numerator, z, T(0.886226899));
    T denominator = Fused(T(0.012229801), z, T(-0.329097515));
    denominator = Fused(denominator, z, T(1.442710462));
    denominator = Fused(denominator, z, T(-2.118377725));
    denominator = Fused(denominator, z, T{1});
    x = y * numerator / denominator;
  } else {
    const T z = std::sqrt(-std::log((T{1} - size) / T{2}));
    T numerator = Fused(T(1.641345311), z, T(3.429567803));
    numerator = Fused(numerator, z, T(-1.624906493));
    numerator = Fused(numerator, z, T(-1.970840454));
    const T denominator = Fused(Fused(T(1.637067800), z, T(3.543889200)), z, T{1});
    x = std::copysign(numerator, y) / denominator;
  }
  const T slope = T{2} / static_cast<T>(std::sqrt(std::numbers::pi));
  for (int step = 0; step < 2; ++step) x = x - (std::erf(x) - y) / (slope * std::exp(-x * x));
  return x;
}

double NormalCdf(double x) { return (1.0 + std::erf(x / std::sqrt(2.0))) / 2.0; }

// Each of PyTorch's operations leaves an element of the tensor's type: round makes it so.
template <typename T, typename Round>
T Transformed(T unit, T scale, T mean, T low, T high, const Round& round) {
  const T value = round(round(round(InverseErf(unit)) * scale) + mean);
  // Comparisons in this order let NaN pass and keep the sign of a zero, as PyTorch's do.
  return std::min(std::max(value, low), high);
}

template <typename T>
void Transform(double scale, double mean, double a, double b, std::span<T> dst) {
  for (T& element : dst) {
    element = Transformed(element, static_cast<T>(scale), static_cast<T>(mean), static_cast<T>(a),
                          static_cast<T>(b), std::identity());
  }
}

void TransformBf16(double scale, double mean, double a, double b, std::span<uint16_t> dst) {
  const auto round = [](float value) { return Bfloat16ToFloat(FloatToBfloat16(value)); };
  const auto rounded = [&](double value) { return round(static_cast<float>(value)); };
  for (uint16_t& element : dst) {
    element = FloatToBfloat16(Transformed(Bfloat16ToFloat(element), rounded(scale), rounded(mean),
                                          rounded(a), rounded(b), round));
  }
}

}  // namespace

void TruncatedNormal(Generator& generator, double mean, double std, double a, double b,
                     const MutableTensorView& dst) {
  LAZYNET_CHECK(IsFloating(dst.dtype) && dst.dtype != DType::kFp16);
  const double low = NormalCdf((a - mean) / std);
  const double high = NormalCdf((b - mean) / std);
  Uniform(generator, 2.0 * low - 1.0, 2.0 * high - 1.0, dst);
  const double scale = std * std::sqrt(2.0);
  if (dst.dtype == DType::kFp32) return Transform(scale, mean, a, b, dst.values<float>());
  if (dst.dtype == DType::kFp64) return Transform(scale, mean, a, b, dst.values<double>());
  TransformBf16(
      scale, mean, a, b,
      {reinterpret_cast<uint16_t*>(dst.data), static_cast<size_t>(dst.shape.num_elements())});
}

}  // namespace lazynet::init
