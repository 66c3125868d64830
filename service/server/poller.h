#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>
#include <vector>

#include "service/handlers/poller_lane.h"
#include "service/scheduling/lanes.h"

namespace lazynet::server {

// The one thread that waits for what gRPC has to tell. Of several threads that do, each may get the
// others' events from the system, and has to wake them: a second one, though it has nothing to do,
// makes a small request take twice as long. So the first queue is waited for, and the others are
// looked at in passing, or every 20 ms.
class Poller {
 public:
  // Starts. The first queue is the busy one; small jobs of its calls are run by this thread. All
  // outlive the poller.
  Poller(std::vector<grpc::ServerCompletionQueue*> queues, scheduling::Lanes& lanes);

  // Shuts the queues down and ends when they are empty: after their servers have shut down, and
  // when nobody starts operations on them any more.
  ~Poller();

 private:
  using Clock = std::chrono::steady_clock;

  void Poll(scheduling::Lanes& lanes);
  grpc::CompletionQueue::NextStatus Wait(handlers::PollerLane& lane, Clock::time_point until);
  void LookAtOthers();

  const std::vector<grpc::ServerCompletionQueue*> queues_;
  std::thread thread_;
};

}  // namespace lazynet::server
