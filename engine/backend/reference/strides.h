#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/shape.h"

namespace lazynet::backend::reference {

// Per axis of `dst`, the stride of the dense `src` when aligned at the right: 0 where it is
// stretched and on axes of size 1.
std::vector<int64_t> BroadcastStrides(const Shape& src, const Shape& dst);

// Copies elements from anywhere to dense memory.
class StridedCopy {
 public:
  // Element (i, j, ...) of `dst` is the one at i * src_strides[0] + j * src_strides[1] + ... of the
  // source. Elements are of 1, 2, 4 or 8 bytes.
  StridedCopy(const Shape& dst, const std::vector<int64_t>& src_strides, size_t element_bytes);

  void Run(const std::byte* src, std::byte* dst) const;

 private:
  struct Axis {
    int64_t size;
    int64_t src_stride;
  };

  std::vector<Axis> axes_;  // neighbours that are one run of the source are one axis; never empty
  size_t element_bytes_;
};

}  // namespace lazynet::backend::reference
