#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <stop_token>
#include <vector>

#include "service/handlers/calls_in_flight.h"
#include "service/server/listener.h"

namespace lazynet::server {

// How the listeners of a server come to their end.
class Drain {
 public:
  using Clock = std::chrono::steady_clock;

  // Of the calls of all listeners, those that are waited for.
  explicit Drain(const handlers::CallsInFlight& calls) : calls_(calls) {}

  // Sends clients elsewhere, refuses new calls, and lets those in flight end until the deadline.
  // What then is left is cancelled; sooner, if nobody waits for it: connections without a call
  // whose clients do not close them, and streams that end only when their clients like. Once.
  void Run(std::vector<Listener*> listeners, Clock::time_point deadline);

  // Cancels what Run waits for, or will. From any thread.
  void CancelCalls();

 private:
  void SendClientsAway(Clock::time_point deadline);
  void CancelWhenDone(const std::stop_token& stop);

  const handlers::CallsInFlight& calls_;

  std::atomic<bool> cancels_ = false;  // nothing is waited for any more
  std::mutex mutex_;                   // held to change the next, and to use it elsewhere
  std::vector<Listener*> listeners_;   // while Run runs
};

}  // namespace lazynet::server
