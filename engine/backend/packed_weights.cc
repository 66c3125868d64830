#include "engine/backend/packed_weights.h"

#include <utility>

namespace lazynet::backend {

absl::StatusOr<std::shared_ptr<const Buffer>> PackedWeights::GetOrPack(
    const std::string& key, const std::function<absl::StatusOr<Buffer>()>& pack) {
  const std::lock_guard lock(mutex_);
  if (const auto found = buffers_.find(key); found != buffers_.end()) return found->second;
  ASSIGN_OR_RETURN(Buffer packed, pack());
  auto buffer = std::make_shared<const Buffer>(std::move(packed));
  bytes_.fetch_add(buffer->size(), std::memory_order_relaxed);
  buffers_.emplace(key, buffer);
  return std::shared_ptr<const Buffer>(std::move(buffer));
}

}  // namespace lazynet::backend
