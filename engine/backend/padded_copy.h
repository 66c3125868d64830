#pragma once

#include <cstddef>
#include <cstdint>
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
  struct Axis {
    int64_t before = 0;
    int64_t after = 0;
    int64_t src_size = 1;
    size_t src_stride = 1;  // bytes
    size_t dst_stride = 1;
  };

  // Makes all of dst along axes_[at] and the axes within it of that part of src.
  void CopyAxis(size_t at, const std::byte* src, std::byte* dst) const;

  // The same of one element of axes_[at].
  void CopyWithin(size_t at, const std::byte* src, std::byte* dst) const;

  // Those at [begin, end) of src, all of them outside; returns the end of what it wrote.
  std::byte* MakeBorder(size_t at, int64_t begin, int64_t end, const std::byte* src,
                        std::byte* dst) const;

  void Fill(std::byte* dst, size_t bytes) const;

  Pad::Mode mode_;
  std::vector<Axis> axes_;  // outermost first; the last one is padded
  size_t element_bytes_;
  size_t piece_bytes_;            // of what lies within the last of axes_
  std::vector<std::byte> value_;  // one element
  bool zero_ = false;             // all its bytes are
};

}  // namespace lazynet::backend
