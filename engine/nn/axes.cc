#include "engine/nn/axes.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace lazynet::nn {

absl::StatusOr<int> AxisOf(int64_t dim, const Shape& shape) {
  const int64_t rank = std::max(shape.rank(), 1);
  if (dim < -rank || dim >= rank) {
    return InvalidArgument("wants a rank that has dim {}, got shape {}", dim, shape.ToString());
  }
  return static_cast<int>(dim < 0 ? dim + rank : dim);
}

absl::StatusOr<backend::AxisVector> AxesOf(std::span<const int64_t> dims, const Shape& shape) {
  backend::AxisVector axes;
  for (const int64_t dim : dims) {
    ASSIGN_OR_RETURN(const int axis, AxisOf(dim, shape));
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) {
      return InvalidArgument("wants each dim once, got dim {} twice in shape {}", dim,
                             shape.ToString());
    }
    axes.push_back(axis);
  }
  std::sort(axes.begin(), axes.end());
  if (shape.rank() == 0) axes.clear();
  if (dims.empty()) {
    axes.resize(static_cast<size_t>(shape.rank()));
    std::iota(axes.begin(), axes.end(), 0);
  }
  return axes;
}

Shape ReducedShape(const Shape& shape, const backend::AxisVector& axes, bool keep) {
  Shape::Dims dims;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const bool reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (!reduced) dims.push_back(shape.dim(axis));
    if (reduced && keep) dims.push_back(1);
  }
  return Shape(std::move(dims));
}

}  // namespace lazynet::nn
