#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include "service/server/listener.h"

namespace lazynet::server {

// How the listeners of a server come to their end.
class Drain {
 public:
  // Sends clients elsewhere, refuses new calls, lets those in flight end until the deadline, and
  // cancels the others. Once.
  void Run(std::vector<Listener*> listeners, std::chrono::system_clock::time_point deadline);

  // Cancels what Run waits for, or will. From any thread.
  void CancelCalls();

 private:
  using Clock = std::chrono::system_clock;

  void SendClientsAway(Clock::time_point deadline);

  std::atomic<bool> cancels_ = false;  // nothing is waited for any more
  std::mutex mutex_;                   // held to change the next, and to use it elsewhere
  std::vector<Listener*> listeners_;   // while Run runs
};

}  // namespace lazynet::server
