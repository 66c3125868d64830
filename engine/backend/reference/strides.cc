#include "engine/backend/reference/strides.h"

namespace lazynet::backend::reference {

std::vector<int64_t> BroadcastStrides(const Shape& src, const Shape& dst) {
  std::vector<int64_t> strides(static_cast<size_t>(dst.rank()));
  int64_t stride = 1;
  for (int axis = -1; axis >= -src.rank(); --axis) {
    strides[static_cast<size_t>(dst.rank() + axis)] = src.dim(axis) == 1 ? 0 : stride;
    stride *= src.dim(axis);
  }
  return strides;
}

}  // namespace lazynet::backend::reference
