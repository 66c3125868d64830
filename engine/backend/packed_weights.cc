#include "engine/backend/packed_weights.h"

#include <algorithm>
#include <utility>

namespace lazynet::backend {
namespace {

// Constants that depend on input shapes have ever new keys.
constexpr size_t kMaxMeasures = 4096;

}  // namespace

void PackedWeights::Held::Add(const Buffer& buffer, int64_t sign) {
  const int64_t change = sign * static_cast<int64_t>(buffer.size());
  bytes.fetch_add(static_cast<size_t>(change), std::memory_order_relaxed);
  if (observer != nullptr) observer(change);
}

std::shared_ptr<const Buffer> PackedWeights::Counted(Buffer buffer,
                                                     std::shared_ptr<const void> share) const {
  held_->Add(buffer, 1);
  return {new Buffer(std::move(buffer)),
          [held = held_, share = std::move(share)](const Buffer* counted) mutable {
            held->Add(*counted, -1);
            delete counted;
            share.reset();  // the slot keeps this function
          }};
}

std::shared_ptr<PackedWeights::Slot> PackedWeights::FindSlot(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (slots_.size() >= drop_at_) {
    // Those that somebody packs into right now stay, as two would pack otherwise.
    absl::erase_if(slots_, [](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->buffer.expired();
    });
    // Doubling keeps the cost of each key constant.
    drop_at_ = std::max<size_t>(64, 2 * slots_.size());
  }
  std::shared_ptr<Slot>& slot = slots_[key];
  if (slot == nullptr) slot = std::make_shared<Slot>();
  return slot;
}

absl::StatusOr<std::shared_ptr<const Buffer>> PackedWeights::GetOrPack(
    const std::string& key, const std::function<absl::StatusOr<Buffer>()>& pack) {
  const std::shared_ptr<Slot> slot = FindSlot(key);
  const std::lock_guard lock(slot->mutex);
  if (auto held = slot->buffer.lock()) return held;
  ASSIGN_OR_RETURN(Buffer packed, pack());
  std::shared_ptr<const void> share;
  if (admission_ != nullptr) {
    ASSIGN_OR_RETURN(share, admission_(packed.size()));
  }
  auto buffer = Counted(std::move(packed), std::move(share));
  slot->buffer = buffer;
  return buffer;
}

absl::StatusOr<double> PackedWeights::GetOrMeasure(
    const std::string& key, const std::function<absl::StatusOr<double>()>& measure) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = measures_.find(key); found != measures_.end()) return found->second;
  }
  ASSIGN_OR_RETURN(const double measured, measure());
  const std::lock_guard lock(mutex_);
  if (measures_.size() >= kMaxMeasures) measures_.clear();
  measures_[key] = measured;
  return measured;
}

}  // namespace lazynet::backend
