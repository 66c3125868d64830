#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "service/hosting/hosted_network.h"
#include "service/scheduling/lanes.h"

namespace lazynet::scheduling {

// The thread that materializes networks and builds plans, so that lanes never do. Each (network,
// input shapes) is prepared once however many requests ask for it; all of them share the outcome.
// When nobody waits it builds the plans for many threads of what gains from those. It has a lower
// priority than the lanes.
class BuildLane {
 public:
  using Callback = std::function<void(const absl::StatusOr<hosting::Executable>&)>;
  using Work = std::function<void(const absl::Status&)>;

  // `capacity`: how many different preparations, and other work, may wait.
  BuildLane(size_t capacity, DepthObserver observer);

  // Joins the thread; whoever still waits is called with UNAVAILABLE.
  ~BuildLane();

  // Calls back, on the build lane's thread, with the executable or the error. False, without a
  // call, when too much waits already.
  bool Submit(std::shared_ptr<hosting::HostedNetwork> network, std::vector<Shape> input_shapes,
              Callback callback);

  // Calls `work` in its turn, on the build lane's thread, with OK, or with UNAVAILABLE if the lane
  // ends before. False, without a call, when too much waits already.
  bool Submit(Work work);

  size_t queue_depth() const;

 private:
  using Key = std::pair<hosting::HostedNetwork*, std::vector<Shape>>;
  using Item = std::variant<Key, Work>;
  struct Job {
    std::shared_ptr<hosting::HostedNetwork> network;
    std::vector<Callback> waiters;
  };

  void Serve();
  void Prepare(const Key& key);
  void TellDepth() const;  // with mutex_ held
  void Finish(const Key& key, const absl::StatusOr<hosting::Executable>& outcome);

  // A network with an executable to widen.
  using Widening = std::pair<std::shared_ptr<hosting::HostedNetwork>, hosting::Executable>;

  const size_t capacity_;
  const DepthObserver observer_;
  mutable std::mutex mutex_;            // guards the four below
  std::deque<Item> queue_;              // not begun yet, oldest first
  absl::flat_hash_map<Key, Job> jobs_;  // waiting or running
  std::deque<Widening> widenings_;      // for when nobody waits
  bool stopping_ = false;
  std::condition_variable work_;
  std::thread thread_;
};

}  // namespace lazynet::scheduling
