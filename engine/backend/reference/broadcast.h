#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/backend/reference/strides.h"

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
    for (int at = 0; at < dst.rank(); ++at) {
      Axis axis = {.size = dst.dim(at)};
      for (size_t i = 0; i < kSrcs; ++i) axis.strides[i] = strides[i][static_cast<size_t>(at)];
      if (axis.size == 1) continue;
      if (!axes_.empty() && Continues(axes_.back(), axis)) {
        axis.size *= axes_.back().size;
        axes_.back() = axis;
      } else {
        axes_.push_back(axis);
      }
    }
    if (axes_.empty()) axes_.push_back({.size = 1});
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
  struct Axis {
    int64_t size = 1;
    Offsets strides = {};
  };

  // Whether `inner` goes on where a step of `outer` ends, for all sources.
  static bool Continues(const Axis& outer, const Axis& inner) {
    for (size_t i = 0; i < kSrcs; ++i) {
      if (outer.strides[i] != inner.size * inner.strides[i]) return false;
    }
    return true;
  }

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

  std::vector<Axis> axes_;  // neighbours that are one run of all sources are one axis; never empty
};

}  // namespace lazynet::backend::reference
