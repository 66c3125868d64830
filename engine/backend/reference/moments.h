#pragma once

#include <cstdint>

namespace lazynet::backend::reference {

struct Moments {
  double mean = 0;
  double variance = 0;  // biased
};

// Of the elements of `planes` planes of `plane_size` that begin `stride` apart.
template <typename T>
Moments MomentsOf(const T* src, int64_t planes, int64_t stride, int64_t plane_size) {
  const double count = static_cast<double>(planes * plane_size);
  Moments moments;
  for (int64_t n = 0; n < planes; ++n) {
    const T* plane = src + n * stride;
    for (int64_t i = 0; i < plane_size; ++i) moments.mean += plane[i];
  }
  moments.mean /= count;
  for (int64_t n = 0; n < planes; ++n) {
    const T* plane = src + n * stride;
    for (int64_t i = 0; i < plane_size; ++i) {
      const double deviation = plane[i] - moments.mean;
      moments.variance += deviation * deviation;
    }
  }
  moments.variance /= count;
  return moments;
}

// Of a run of elements.
template <typename T>
Moments MomentsOf(const T* src, int64_t size) {
  return MomentsOf(src, 1, size, size);
}

}  // namespace lazynet::backend::reference
