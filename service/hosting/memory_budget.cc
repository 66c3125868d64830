#include "service/hosting/memory_budget.h"

#include <malloc.h>

#include <algorithm>

namespace lazynet::hosting {
namespace {

// What is worth looking through the heap for, to give it back to the system.
constexpr size_t kTrimBytes = size_t{32} << 20;

// One part in so many of the budget is made free beside what is wanted.
constexpr size_t kSpareShare = 64;

// Networks that are asked what they could give back before all are.
constexpr size_t kAskedFirst = 64;

}  // namespace

void MemoryBudget::Add(int64_t bytes) {
  used_.fetch_add(bytes, std::memory_order_relaxed);
  if (observer_ != nullptr) observer_(bytes);
}

size_t MemoryBudget::FreeBytes() const { return limit_ - std::min(limit_, used()); }

bool MemoryBudget::TryTake(size_t bytes) {
  const auto wanted = static_cast<int64_t>(bytes);
  int64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ - std::min(limit_, static_cast<size_t>(used))) return false;
  } while (!used_.compare_exchange_weak(used, used + wanted, std::memory_order_relaxed));
  if (observer_ != nullptr) observer_(wanted);
  return true;
}

absl::StatusOr<std::unique_ptr<MemoryBudget::Share>> MemoryBudget::Take(size_t bytes,
                                                                        std::string_view what,
                                                                        const Evictable* asking) {
  // Another thread may take what was made free for this one.
  while (!TryTake(bytes)) RETURN_IF_ERROR(MakeRoom(bytes, what, asking));
  return std::make_unique<Share>(*this, bytes);
}

absl::Status MemoryBudget::Admit(size_t bytes, std::string_view what, const Evictable* asking) {
  if (IsFree(bytes)) return absl::OkStatus();
  return MakeRoom(bytes, what, asking);
}

absl::Status MemoryBudget::Check(size_t bytes, std::string_view what,
                                 const Evictable* asking) const {
  const size_t free = FreeBytes();
  if (IsFree(bytes)) return absl::OkStatus();
  size_t evictable = 0;
  // The first few have enough, mostly.
  for (const size_t most : {kAskedFirst, SIZE_MAX}) {
    evictable = EvictableBytes(most, bytes, asking);
    if (used() + bytes <= limit_ + evictable) return absl::OkStatus();
  }
  return ResourceExhausted(
      "wants {} bytes of {}, and of the memory budget of {} bytes {} are free and {} can be made "
      "free",
      bytes, what, limit_, free, evictable);
}

// What the first `most` could give back, as far as it is wanted.
size_t MemoryBudget::EvictableBytes(size_t most, size_t wanted, const Evictable* asking) const {
  std::vector<std::shared_ptr<Evictable>> others;
  {
    const std::lock_guard lock(mutex_);
    order_.ForEach([&](EvictionOrder::Place& place) {
      auto network = static_cast<Resident&>(place).network_.lock();
      if (network != nullptr && network.get() != asking) others.push_back(std::move(network));
      return others.size() < most;
    });
  }
  size_t bytes = 0;
  for (const auto& network : others) {
    bytes += network->EvictableBytes();
    if (used() + wanted <= limit_ + bytes) break;
  }
  return bytes;
}

absl::Status MemoryBudget::MakeRoom(size_t bytes, std::string_view what, const Evictable* asking) {
  const std::lock_guard evicting(evicting_);
  RETURN_IF_ERROR(Check(bytes, what, asking));
  const size_t before = used();
  EvictInTurn(bytes + limit_ / kSpareShare, asking);
  TrimHeap(before - std::min(before, used()));
  if (IsFree(bytes)) return absl::OkStatus();
  return ResourceExhausted(
      "wants {} bytes of {}, and of the memory budget of {} bytes {} are free: the rest is in use",
      bytes, what, limit_, FreeBytes());
}

void MemoryBudget::EvictInTurn(size_t bytes, const Evictable* asking) {
  const auto has_room = [&] { return IsFree(bytes); };
  size_t turns = 0;
  {
    const std::lock_guard lock(mutex_);
    turns = order_.MostTurns();
  }
  for (; turns > 0 && !has_room(); --turns) {
    std::shared_ptr<Evictable> network;
    Resident* resident = nullptr;
    bool goes = false;
    {
      const std::lock_guard lock(mutex_);
      const auto turn = order_.Next();
      if (!turn) return;
      resident = static_cast<Resident*>(turn->place);
      goes = turn->goes;
      network = resident->network_.lock();
      if (network == nullptr || network.get() == asking) {
        if (goes) order_.Keep(*resident);
        continue;
      }
    }
    if (!goes) {
      network->EvictUnusedPlans();
      continue;
    }
    while (!has_room() && network->EvictPlan()) {
    }
    if (has_room() || network->EvictParameters()) continue;
    const std::lock_guard lock(mutex_);
    order_.Keep(*resident);
  }
}

// malloc keeps what is freed in small pieces.
void MemoryBudget::TrimHeap(size_t evicted) {
  untrimmed_ += evicted;
  if (untrimmed_ < kTrimBytes) return;
  untrimmed_ = 0;
  malloc_trim(0);
}

MemoryBudget::Shares MemoryBudget::Hold(const nn::ParameterSet& set, std::unique_ptr<Share> room) {
  Shares shares;
  set.ForEachValue([&](const nn::ParameterValue& value) {
    const Tensor& tensor = value.tensor;
    if (tensor.mapped() || tensor.bytes() == 0) return;
    const std::byte* data = tensor.data();
    const std::lock_guard lock(values_mutex_);
    std::weak_ptr<const Share>& known = values_[data];
    std::shared_ptr<const Share> share = known.lock();
    if (share == nullptr) {
      const size_t taken = room == nullptr ? 0 : std::min(room->bytes_, tensor.bytes());
      if (taken > 0) room->bytes_ -= taken;
      if (taken < tensor.bytes()) Add(static_cast<int64_t>(tensor.bytes() - taken));
      share = {new Share(*this, tensor.bytes()), [this, data](const Share* last) {
                 delete last;
                 const std::lock_guard values(values_mutex_);
                 const auto found = values_.find(data);
                 // Another set may have it again by now.
                 if (found != values_.end() && found->second.expired()) values_.erase(found);
               }};
      known = share;
    }
    shares.push_back(std::move(share));
  });
  return shares;
}

void MemoryBudget::Enter(const std::shared_ptr<Evictable>& network, Resident& resident) {
  const std::lock_guard lock(mutex_);
  order_.Leave(resident, false);
  resident.network_ = network;
  order_.Enter(resident);
}

void MemoryBudget::Leave(Resident& resident, bool evicted) {
  const std::lock_guard lock(mutex_);
  order_.Leave(resident, evicted);
}

}  // namespace lazynet::hosting
