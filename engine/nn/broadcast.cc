#include "engine/nn/broadcast.h"

#include <algorithm>
#include <utility>

namespace lazynet::nn {

absl::StatusOr<Shape> Broadcast(const Shape& a, const Shape& b) {
  Shape::Dims dims;
  const int rank = std::max(a.rank(), b.rank());
  for (int axis = -rank; axis < 0; ++axis) {
    const int64_t left = -axis <= a.rank() ? a.dim(axis) : 1;
    const int64_t right = -axis <= b.rank() ? b.dim(axis) : 1;
    const bool open = left == kUnknownDim || right == kUnknownDim;
    if (left != right && left != 1 && right != 1 && !open) {
      return InvalidArgument("wants shapes that broadcast, got {} and {}", a.ToString(),
                             b.ToString());
    }
    dims.push_back(left == 1 || (left == kUnknownDim && right != 1) ? right : left);
  }
  RETURN_IF_ERROR(CheckPartialBounds(dims));
  return Shape(std::move(dims));
}

absl::StatusOr<Shape> Broadcast(std::span<const Shape> shapes) {
  Shape result = shapes.front();
  for (const Shape& shape : shapes.subspan(1)) {
    ASSIGN_OR_RETURN(result, Broadcast(result, shape));
  }
  return result;
}

}  // namespace lazynet::nn
