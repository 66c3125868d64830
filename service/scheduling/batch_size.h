#pragma once

#include <cstdint>

namespace lazynet::scheduling {

// The largest size up to `items` >= 1 that batches are put together in: 1 to 7, or 4 to 7 times a
// power of two. Each size is a plan of its own.
int64_t RoundBatchSize(int64_t items);

}  // namespace lazynet::scheduling
