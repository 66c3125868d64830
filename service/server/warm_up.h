#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "service/hosting/repository.h"
#include "service/scheduling/build_lane.h"

namespace lazynet::server {

// Builds plans before the server says that it is ready: for the warm_up shapes of each model's
// serving.textproto, then for those that requests had before a restart, the most used first as long
// as the memory budget has room. One at a time on the build lane, so that requests that come
// meanwhile have their turn. What fails is logged, and left to the requests.
class WarmUp {
 public:
  // Input shapes of a network.
  struct Step {
    std::shared_ptr<hosting::HostedNetwork> network;
    std::vector<Shape> shapes;
    bool remembered = false;  // by the state directory
  };

  // What there is to do, in order.
  static std::vector<Step> StepsOf(const hosting::Repository& repository);

  // Begins. Calls `done` on a thread of its own when all is done or `timeout` has passed, but not
  // when it is destroyed before that. Lane and budget outlive it.
  WarmUp(std::vector<Step> steps, scheduling::BuildLane& build_lane,
         const hosting::MemoryBudget& budget, std::chrono::nanoseconds timeout,
         std::function<void()> done);

  // Ends it before the next step. A plan that is being built is left to the build lane.
  ~WarmUp();

 private:
  struct Progress;
  void Run(const std::vector<Step>& steps, scheduling::BuildLane& build_lane,
           const hosting::MemoryBudget& budget, std::chrono::nanoseconds timeout);

  const std::shared_ptr<Progress> progress_;
  std::thread thread_;
};

}  // namespace lazynet::server
