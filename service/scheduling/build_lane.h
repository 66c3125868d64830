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
#include "service/scheduling/build_waiter.h"
#include "service/scheduling/lanes.h"
#include "service/scheduling/round_robin.h"

namespace lazynet::scheduling {

// The thread that materializes networks and builds plans, so that lanes never do. Each (network,
// input shapes) is prepared once however many requests ask for it, unless nobody waits for it any
// more; all of them share the outcome. Networks have turns, so that one with many new shapes does
// not keep back the others.
// When nobody waits it builds what nobody waits for: plans for many threads, and plans for batches.
// It has a lower priority than the lanes.
class BuildLane {
 public:
  using Work = std::function<void(const absl::Status&)>;

  // `capacity`: how many different preparations of one network, and how much other work, may wait.
  BuildLane(size_t capacity, DepthObserver observer);

  // Joins the thread; whoever still waits is told UNAVAILABLE.
  ~BuildLane();

  // Tells the waiter, on a thread of the build lane's; soon after its deadline also if something
  // else is under way. False, with the waiter untouched, when too much waits already, or as many
  // requests as the network's queue holds wait for the same.
  bool Submit(std::shared_ptr<hosting::HostedNetwork> network, std::vector<Shape> input_shapes,
              BuildWaiter& waiter);

  // Calls `work` in its turn, on the build lane's thread, with OK, or with UNAVAILABLE if the lane
  // ends before. False, without a call, when too much waits already.
  bool Submit(Work work);

  // Builds a plan for these shapes, with what `executable` is of, when nobody waits for another:
  // for one thread, or with `wide` for all. Not when it is asked for already, or could not be built
  // of late, or too many are asked for. Until its turn it keeps nothing from being evicted.
  void AddPlan(const std::shared_ptr<hosting::HostedNetwork>& network,
               const hosting::Executable& executable, std::vector<Shape> input_shapes,
               bool wide = false);

  size_t queue_depth() const;

 private:
  using Key = std::pair<hosting::HostedNetwork*, std::vector<Shape>>;
  using Item = std::variant<Key, Work>;
  struct Job {
    std::shared_ptr<hosting::HostedNetwork> network;
    std::vector<BuildWaiter*> waiters;
  };

  void Serve();
  void Watch();
  void Prepare(const Key& key);
  void TellDepth() const;  // with mutex_ held
  bool RefuseDead(const Key& key);

  // Waiters that are to be told that they are dead.
  struct Dead {
    std::vector<BuildWaiter*> expired;
    std::vector<BuildWaiter*> cancelled;

    void TakeFrom(Job& job);  // with mutex_ held
    void Tell() const;        // without
  };
  void Finish(const Key& key, const absl::StatusOr<hosting::Executable>& outcome);

  // A plan that nobody waits for.
  struct Addition {
    std::weak_ptr<hosting::HostedNetwork> network;
    std::weak_ptr<hosting::BoundNetwork> bound;
    std::vector<Shape> input_shapes;
    bool wide = false;

    bool operator==(const Addition& other) const;
  };
  // One that could not be built, and is not tried again before this moment.
  struct Refused {
    Addition addition;
    LaneJob::Time until;
  };
  bool IsAskedFor(const Addition& addition);  // with mutex_ held
  static absl::Status Build(const Addition& addition);

  const size_t capacity_;
  const DepthObserver observer_;
  mutable std::mutex mutex_;                         // guards the five below
  RoundRobin<hosting::HostedNetwork*, Item> queue_;  // not begun yet; null: of no network
  absl::flat_hash_map<Key, Job> jobs_;               // waiting or running
  std::deque<Addition> additions_;  // for when nobody waits; the first may be under way
  std::deque<Refused> refused_;     // oldest first
  bool stopping_ = false;
  std::condition_variable work_;
  std::condition_variable waiters_;  // there are some, or it stops
  std::thread thread_;
  std::thread watcher_;
};

}  // namespace lazynet::scheduling
