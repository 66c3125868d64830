#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/strided_axes.h"
#include "engine/core/shape.h"

namespace lazynet::backend {

// The strides of a dense tensor of this shape, in elements.
std::vector<int64_t> DenseStrides(const Shape& shape);

// Copies elements from anywhere to dense memory.
class StridedCopy {
 public:
  // Element (i, j, ...) of `dst` is the one at i * src_strides[0] + j * src_strides[1] + ... of the
  // source. Elements are of 1, 2, 4 or 8 bytes.
  StridedCopy(const Shape& dst, const std::vector<int64_t>& src_strides, size_t element_bytes);

  // `src` is where the element at (0, 0, ...) lies: strides may be negative.
  void Run(const std::byte* src, std::byte* dst) const;

 private:
  std::vector<StridedAxis<1>> axes_;  // of the source; never empty
  size_t element_bytes_;
};

// The copy behind a Slice of a dense `src`, and the place in it, in bytes, to start from. `step`
// may be empty: 1 on all axes.
struct SliceCopy {
  SliceCopy(const Shape& src, std::span<const int64_t> begin, std::span<const int64_t> step,
            const Shape& dst, size_t element_bytes);

  void Run(const std::byte* src, std::byte* dst) const { copy.Run(src + offset, dst); }

  StridedCopy copy;
  size_t offset;
};

}  // namespace lazynet::backend
