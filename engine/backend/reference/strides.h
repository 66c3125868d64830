#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/shape.h"

namespace lazynet::backend::reference {

// Per axis of `dst`, the stride of the dense `src` when aligned at the right: 0 where it is
// stretched and on axes of size 1.
std::vector<int64_t> BroadcastStrides(const Shape& src, const Shape& dst);

}  // namespace lazynet::backend::reference
