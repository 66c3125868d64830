#include "engine/backend/packed_weights.h"

#include <algorithm>
#include <utility>

namespace lazynet::backend {

std::shared_ptr<const Buffer> PackedWeights::Counted(Buffer buffer) const {
  bytes_->fetch_add(buffer.size(), std::memory_order_relaxed);
  return {new Buffer(std::move(buffer)), [bytes = bytes_](const Buffer* counted) {
            bytes->fetch_sub(counted->size(), std::memory_order_relaxed);
            delete counted;
          }};
}

// Doubling the mark keeps the cost of each entry constant.
void PackedWeights::DropUnused() {
  if (transient_.size() < drop_at_) return;
  absl::erase_if(transient_, [](const auto& entry) { return entry.second.expired(); });
  drop_at_ = std::max<size_t>(64, 2 * transient_.size());
}

absl::StatusOr<std::shared_ptr<const Buffer>> PackedWeights::GetOrPack(
    const std::string& key, const std::function<absl::StatusOr<Buffer>()>& pack) {
  const bool transient = key.starts_with(kTransientKey);
  const std::lock_guard lock(mutex_);
  if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
  if (const auto found = transient_.find(key); found != transient_.end()) {
    if (auto used = found->second.lock()) return used;
  }
  ASSIGN_OR_RETURN(Buffer packed, pack());
  auto buffer = Counted(std::move(packed));
  if (transient) {
    DropUnused();
    transient_[key] = buffer;
  } else {
    kept_.emplace(key, buffer);
  }
  return buffer;
}

}  // namespace lazynet::backend
