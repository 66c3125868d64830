#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/op.h"
#include "engine/core/dtype.h"
#include "engine/core/shape.h"

namespace lazynet::backend {

// What Pad does to dense tensors. Axes that are not padded and lie innermost move as one piece.
class PaddedCopy {
 public:
  PaddedCopy(const Pad& pad, const Shape& src, const Shape& dst, DType dtype);

  void Run(const std::byte* src, std::byte* dst) const;

 private:
  // Of the elements along an axis, where each comes from.
  struct Axis {
    std::vector<int64_t> sources;  // per index of dst, that of src; kFill: the value
    int64_t before = 0;
    int64_t src_size = 1;
    size_t src_stride = 1;  // bytes
    size_t dst_stride = 1;
  };

  void CopyAxis(size_t at, const std::byte* src, std::byte* dst) const;
  void Fill(std::byte* dst, size_t bytes) const;

  std::vector<Axis> axes_;
  size_t element_bytes_;
  size_t piece_bytes_;            // of what lies within the last of axes_
  std::vector<std::byte> value_;  // one element
  bool zero_ = false;             // all its bytes are
};

}  // namespace lazynet::backend
