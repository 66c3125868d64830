#include "engine/init/initializers.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/core/check.h"
#include "engine/core/float16.h"
#include "engine/init/gain.h"

namespace lazynet::init {
namespace {

template <typename T>
void FillWith(T value, const MutableTensorView& dst) {
  T* const data = reinterpret_cast<T*>(dst.data);
  std::fill_n(data, dst.shape.num_elements(), value);
}

// The product of the kernel's dims and of `channels_axis`, 0 or 1.
int64_t Fan(const Shape& weight, int channels_axis) {
  LAZYNET_CHECK(weight.rank() >= 2);
  int64_t fan = weight.dim(channels_axis);
  for (const int64_t dim : weight.dims().subspan(2)) fan *= dim;
  return fan;
}

}  // namespace

int64_t FanIn(const Shape& weight) { return Fan(weight, 1); }
int64_t FanOut(const Shape& weight) { return Fan(weight, 0); }

double KaimingStd(double gain, int64_t fan) {
  return fan == 0 ? 0.0 : gain / std::sqrt(static_cast<double>(fan));
}

double XavierStd(double gain, int64_t fan_in, int64_t fan_out) {
  const int64_t fans = fan_in + fan_out;
  return fans == 0 ? 0.0 : gain * std::sqrt(2.0 / static_cast<double>(fans));
}

double UniformBound(double std) { return std::sqrt(3.0) * std; }

double KaimingUniformBound(int64_t fan_in) {
  static const double gain = Gain(Nonlinearity::kLeakyRelu, std::sqrt(5.0));
  return UniformBound(KaimingStd(gain, fan_in));
}

double FanInUniformBound(int64_t fan_in) {
  return fan_in == 0 ? 0.0 : 1.0 / std::sqrt(static_cast<double>(fan_in));
}

void Fill(double value, const MutableTensorView& dst) {
  switch (dst.dtype) {
    case DType::kBool:
      return FillWith(value != 0.0, dst);
    case DType::kUint8:
      return FillWith(static_cast<uint8_t>(value), dst);
    case DType::kUint16:
      return FillWith(static_cast<uint16_t>(value), dst);
    case DType::kUint32:
      return FillWith(static_cast<uint32_t>(value), dst);
    case DType::kUint64:
      return FillWith(static_cast<uint64_t>(value), dst);
    case DType::kInt8:
      return FillWith(static_cast<int8_t>(value), dst);
    case DType::kInt16:
      return FillWith(static_cast<int16_t>(value), dst);
    case DType::kInt32:
      return FillWith(static_cast<int32_t>(value), dst);
    case DType::kInt64:
      return FillWith(static_cast<int64_t>(value), dst);
    case DType::kFp16:
      return FillWith(FloatToHalf(static_cast<float>(value)), dst);
    case DType::kBf16:
      return FillWith(FloatToBfloat16(static_cast<float>(value)), dst);
    case DType::kFp32:
      return FillWith(static_cast<float>(value), dst);
    case DType::kFp64:
      return FillWith(value, dst);
  }
}

uint64_t LayerSeed(uint64_t seed, std::string_view layer_path) {
  uint64_t hash = 0xCBF29CE484222325u;
  const auto add = [&](uint8_t byte) { hash = (hash ^ byte) * 0x100000001B3u; };
  for (int shift = 0; shift < 64; shift += 8) add(static_cast<uint8_t>(seed >> shift));
  for (const char c : layer_path) add(static_cast<uint8_t>(c));
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9u;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBu;
  return hash ^ (hash >> 31);
}

}  // namespace lazynet::init
