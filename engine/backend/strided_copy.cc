#include "engine/backend/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "engine/core/check.h"

namespace lazynet::backend {
namespace {

// Copies the box of `axes` and returns the end of what it wrote.
template <typename T>
T* Copy(std::span<const StridedAxis<1>> axes, const T* src, T* dst) {
  const int64_t size = axes.front().size;
  const int64_t stride = axes.front().strides[0];
  if (axes.size() > 1) {
    for (int64_t i = 0; i < size; ++i) dst = Copy(axes.subspan(1), src + i * stride, dst);
    return dst;
  }
  if (stride == 1) {
    std::memcpy(dst, src, static_cast<size_t>(size) * sizeof(T));
  } else if (stride == 0) {
    std::fill_n(dst, size, *src);
  } else {
    for (int64_t i = 0; i < size; ++i) dst[i] = src[i * stride];
  }
  return dst + size;
}

std::vector<int64_t> SliceStrides(const Shape& src, std::span<const int64_t> step) {
  std::vector<int64_t> strides = DenseStrides(src);
  for (size_t axis = 0; axis < step.size(); ++axis) strides[axis] *= step[axis];
  return strides;
}

int64_t FirstElement(const Shape& src, std::span<const int64_t> begin) {
  const std::vector<int64_t> strides = DenseStrides(src);
  int64_t first = 0;
  for (size_t axis = 0; axis < strides.size(); ++axis) first += begin[axis] * strides[axis];
  return first;
}

}  // namespace

std::vector<int64_t> DenseStrides(const Shape& shape) {
  std::vector<int64_t> strides(static_cast<size_t>(shape.rank()));
  int64_t stride = 1;
  for (int axis = shape.rank(); axis-- > 0;) {
    strides[static_cast<size_t>(axis)] = stride;
    stride *= shape.dim(axis);
  }
  return strides;
}

StridedCopy::StridedCopy(const Shape& dst, const std::vector<int64_t>& src_strides,
                         size_t element_bytes)
    : element_bytes_(element_bytes) {
  std::vector<StridedAxis<1>> axes;
  for (int i = 0; i < dst.rank(); ++i) {
    axes.push_back({dst.dim(i), {src_strides[static_cast<size_t>(i)]}});
  }
  axes_ = JoinNeighbours(axes);
}

void StridedCopy::Run(const std::byte* src, std::byte* dst) const {
  const auto copy_as = [&]<typename T>(T) {
    Copy<T>(axes_, reinterpret_cast<const T*>(src), reinterpret_cast<T*>(dst));
  };
  switch (element_bytes_) {
    case 1:
      return copy_as(uint8_t{});
    case 2:
      return copy_as(uint16_t{});
    case 4:
      return copy_as(uint32_t{});
    case 8:
      return copy_as(uint64_t{});
    default:
      LAZYNET_CHECK(false);
  }
}

SliceCopy::SliceCopy(const Shape& src, std::span<const int64_t> begin,
                     std::span<const int64_t> step, const Shape& dst, size_t element_bytes)
    : copy(dst, SliceStrides(src, step), element_bytes),
      offset(static_cast<size_t>(FirstElement(src, begin)) * element_bytes) {}

}  // namespace lazynet::backend
