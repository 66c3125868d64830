#include "engine/core/shape.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace lazynet {

int64_t Shape::num_elements() const {
  int64_t product = 1;
  for (int64_t dim : dims_) {
    LAZYNET_CHECK(dim >= 0);
    product *= dim;
  }
  return product;
}

bool Shape::has_unknown_dim() const {
  return std::any_of(dims_.begin(), dims_.end(), [](int64_t dim) { return dim < 0; });
}

std::string Shape::ToString() const {
  std::string text = "[";
  for (size_t i = 0; i < dims_.size(); ++i) {
    if (i > 0) text += ", ";
    text += dims_[i] < 0 ? "?" : std::to_string(dims_[i]);
  }
  return text + "]";
}

absl::Status CheckBounds(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    return InvalidArgument("wants a rank of at most {}, got {}", kMaxRank, dims.size());
  }
  int64_t product = 1;
  for (int64_t dim : dims) {
    if (dim < 0 || dim > kMaxDim) {
      return InvalidArgument("wants dims from 0 to {}, got {} in [{}]", kMaxDim, dim,
                             fmt::join(dims, ", "));
    }
    if (dim > 0 && (product *= dim) > kMaxElements) {
      return InvalidArgument("wants at most {} elements, got [{}]", kMaxElements,
                             fmt::join(dims, ", "));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPartialBounds(std::span<const int64_t> dims) {
  Shape::Dims smallest(dims.begin(), dims.end());
  std::replace(smallest.begin(), smallest.end(), kUnknownDim, int64_t{1});
  return CheckBounds(smallest);
}

}  // namespace lazynet
