#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lazynet::backend {

// An axis of a box of elements of some tensors, whose neighbours along it lie `strides` apart.
template <size_t kTensors>
struct StridedAxis {
  int64_t size = 1;
  std::array<int64_t, kTensors> strides = {};
};

// The same box in as few axes as possible, but at least one: an axis that goes on where a step of
// the one around it ends, in all tensors, is one with it. Outermost first.
template <size_t kTensors>
std::vector<StridedAxis<kTensors>> JoinNeighbours(const std::vector<StridedAxis<kTensors>>& axes) {
  std::vector<StridedAxis<kTensors>> joined;
  for (const StridedAxis<kTensors>& axis : axes) {
    if (axis.size == 1) continue;
    const auto goes_on = [&axis](int64_t outer, int64_t inner) {
      return outer == axis.size * inner;
    };
    if (!joined.empty() && std::equal(joined.back().strides.begin(), joined.back().strides.end(),
                                      axis.strides.begin(), goes_on)) {
      joined.back() = {joined.back().size * axis.size, axis.strides};
    } else {
      joined.push_back(axis);
    }
  }
  if (joined.empty()) joined.emplace_back();
  return joined;
}

}  // namespace lazynet::backend
