#include "service/scheduling/batch_size.h"

#include <bit>

namespace lazynet::scheduling {

int64_t RoundBatchSize(int64_t items) {
  constexpr int kBits = 3;
  const auto width = static_cast<int>(std::bit_width(static_cast<uint64_t>(items)));
  if (width <= kBits) return items;
  return items >> (width - kBits) << (width - kBits);
}

}  // namespace lazynet::scheduling
