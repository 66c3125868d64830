#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace lazynet::hosting {

enum class NetworkState { kLazy, kMaterializing, kReady, kEvicted, kUnavailable };

// What became of a hosted network.
struct NetworkEvent {
  std::string name;
  int64_t version = 1;
  NetworkState state = NetworkState::kLazy;
  std::string reason;    // why it is unavailable
  bool removed = false;  // it is hosted no more
  std::chrono::system_clock::time_point time;
  uint64_t sequence = 0;  // grows with every event
};

// The last event of every network, for whoever wants to follow them: a slow reader misses steps in
// between, never the last one. Safe for use by many threads.
class NetworkEvents {
 public:
  // Called after every event, on the thread that published it. To be set before other threads
  // publish.
  void SetListener(std::function<void()> listener) { listener_ = std::move(listener); }

  void Publish(NetworkEvent event);

  // The events behind `sequence`, oldest first, one for each network. Waits until there is one, the
  // time is up, or Close; then empty.
  std::vector<NetworkEvent> Next(uint64_t sequence, std::chrono::milliseconds timeout) const;

  // Wakes all who wait, for good.
  void Close();
  bool closed() const;

 private:
  void ForgetOldRemovals();

  std::function<void()> listener_;

  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable changed_;
  std::map<std::pair<std::string, int64_t>, NetworkEvent> last_;
  uint64_t sequence_ = 0;
  size_t removals_ = 0;
  bool closed_ = false;
};

}  // namespace lazynet::hosting
