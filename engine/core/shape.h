#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "engine/core/status.h"

namespace lazynet {

// A dimension that is not known (a lazy size) or may vary (an input constraint).
inline constexpr int64_t kUnknownDim = -1;

// Bounds of every tensor: they keep products and byte counts far from overflow.
inline constexpr int kMaxRank = 12;
inline constexpr int64_t kMaxDim = (int64_t{1} << 31) - 1;
inline constexpr int64_t kMaxElements = int64_t{1} << 40;

// The sizes of a tensor's axes, outermost first; rank 0 is a scalar.
class Shape {
 public:
  using Dims = absl::InlinedVector<int64_t, 6>;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(std::span<const int64_t> dims) : dims_(dims.begin(), dims.end()) {}
  explicit Shape(Dims dims) : dims_(std::move(dims)) {}

  int rank() const { return static_cast<int>(dims_.size()); }
  std::span<const int64_t> dims() const { return {dims_.data(), dims_.size()}; }

  // `axis` counts from the end when negative; -rank <= axis < rank.
  int64_t dim(int axis) const { return dims_[Index(axis)]; }
  void set_dim(int axis, int64_t size) { dims_[Index(axis)] = size; }

  // The product of all dims, 1 for a scalar. All dims must be known.
  int64_t num_elements() const;
  bool has_unknown_dim() const;

  // "[2, 3, ?]", "[]" for a scalar.
  std::string ToString() const;

  bool operator==(const Shape&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const Shape& shape) {
    return H::combine(std::move(h), shape.dims_);
  }

 private:
  size_t Index(int axis) const {
    const int index = axis < 0 ? axis + rank() : axis;
    LAZYNET_CHECK(index >= 0 && index < rank());
    return static_cast<size_t>(index);
  }

  Dims dims_;
};

// INVALID_ARGUMENT unless the rank, every dim and the number of elements are within the bounds
// above; negative dims are refused.
absl::Status CheckBounds(std::span<const int64_t> dims);

// The same for a shape that is only partly known: a dim of kUnknownDim may be any.
absl::Status CheckPartialBounds(std::span<const int64_t> dims);

}  // namespace lazynet
