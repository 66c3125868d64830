#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/backend/reference/strides.h"
#include "engine/backend/strided_axes.h"

namespace lazynet::backend::reference {

// How the elements of dense sources meet when they are stretched to the shape of a dense result:
// rows along which every source moves by one step per element.
template <size_t kSrcs>
class Broadcast {
 public:
  using Offsets = std::array<int64_t, kSrcs>;

  Broadcast(const std::array<Shape, kSrcs>& srcs, const Shape& dst) {
    std::array<std::vector<int64_t>, kSrcs> strides;
    for (size_t i = 0; i < kSrcs; ++i) strides[i] = BroadcastStrides(srcs[i], dst);
    std::vector<StridedAxis<kSrcs>> axes;
    for (int at = 0; at < dst.rank(); ++at) {
      StridedAxis<kSrcs>& axis = axes.emplace_back();
      axis.size = dst.dim(at);
      for (size_t i = 0; i < kSrcs; ++i) axis.strides[i] = strides[i][static_cast<size_t>(at)];
    }
    axes_ = JoinNeighbours(axes);
  }

  int64_t row_size() const { return axes_.back().size; }
  const Offsets& row_strides() const { return axes_.back().strides; }

  // Calls row(where each source's row begins, where that of the result does) for each row.
  template <typename Row>
  void ForEachRow(const Row& row) const {
    int64_t dst = 0;
    Walk(0, {}, dst, row);
  }

 private:
  template <typename Row>
  void Walk(size_t at, Offsets srcs, int64_t& dst, const Row& row) const {
    if (at + 1 == axes_.size()) {
      row(srcs, dst);
      dst += row_size();
      return;
    }
    for (int64_t i = 0; i < axes_[at].size; ++i) {
      Walk(at + 1, srcs, dst, row);
      for (size_t src = 0; src < kSrcs; ++src) srcs[src] += axes_[at].strides[src];
    }
  }

  std::vector<StridedAxis<kSrcs>> axes_;  // never empty
};

}  // namespace lazynet::backend::reference
