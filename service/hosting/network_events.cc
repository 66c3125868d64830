#include "service/hosting/network_events.h"

#include <algorithm>

namespace lazynet::hosting {
namespace {

// Removed networks that are remembered for slow readers.
constexpr size_t kMaxRemovals = 1024;

}  // namespace

void NetworkEvents::Publish(NetworkEvent event) {
  {
    const std::lock_guard lock(mutex_);
    event.sequence = ++sequence_;
    event.time = std::chrono::system_clock::now();
    NetworkEvent& last = last_[{event.name, event.version}];
    removals_ += static_cast<size_t>(event.removed) - static_cast<size_t>(last.removed);
    last = std::move(event);
    if (removals_ > kMaxRemovals) ForgetOldRemovals();
  }
  changed_.notify_all();
  if (listener_ != nullptr) listener_();
}

// Half of them at a time, so that this is rare.
void NetworkEvents::ForgetOldRemovals() {
  std::vector<uint64_t> sequences;
  for (const auto& [key, event] : last_) {
    if (event.removed) sequences.push_back(event.sequence);
  }
  auto middle = sequences.begin() + static_cast<std::ptrdiff_t>(sequences.size() / 2);
  std::nth_element(sequences.begin(), middle, sequences.end());
  const uint64_t oldest_kept = *middle;
  std::erase_if(last_, [&](const auto& entry) {
    return entry.second.removed && entry.second.sequence < oldest_kept;
  });
  removals_ = static_cast<size_t>(std::count_if(
      last_.begin(), last_.end(), [](const auto& entry) { return entry.second.removed; }));
}

std::vector<NetworkEvent> NetworkEvents::Next(uint64_t sequence,
                                              std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return closed_ || sequence_ > sequence; });
  std::vector<NetworkEvent> events;
  if (closed_) return events;
  for (const auto& [key, event] : last_) {
    if (event.sequence > sequence) events.push_back(event);
  }
  std::sort(events.begin(), events.end(),
            [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  return events;
}

void NetworkEvents::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

bool NetworkEvents::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

}  // namespace lazynet::hosting
