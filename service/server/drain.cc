#include "service/server/drain.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace lazynet::server {
namespace {

// What a client that stays connected has to hear that it is told to go, and to stop making calls.
constexpr std::chrono::seconds kTimeToHear{1};
constexpr std::chrono::milliseconds kBetweenLooks{10};

}  // namespace

void Drain::Run(std::vector<Listener*> listeners, Clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    listeners_ = std::move(listeners);
  }
  SendClientsAway(deadline);
  {
    const std::jthread canceller([this](const std::stop_token& stop) { CancelWhenDone(stop); });
    for (Listener* listener : listeners_) listener->Shutdown(cancels_ ? Clock::now() : deadline);
  }
  const std::lock_guard lock(mutex_);
  listeners_.clear();
}

// Calls that come when a listener is shut down already would be lost.
void Drain::SendClientsAway(Clock::time_point deadline) {
  for (Listener* listener : listeners_) listener->TellClientsToGo();
  const auto heard = std::min(deadline, Clock::now() + kTimeToHear);
  const auto has_connections = [](Listener* listener) { return listener->HasConnections(); };
  while (std::any_of(listeners_.begin(), listeners_.end(), has_connections) && !cancels_ &&
         Clock::now() < heard) {
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

// gRPC waits for all connections; what is on them it does not know. A call is not known before its
// request is there, so bytes that come count as well.
void Drain::CancelWhenDone(const std::stop_token& stop) {
  const auto receives = [](Listener* listener) { return listener->Receives(kTimeToHear); };
  auto busy = Clock::now();
  for (auto now = busy; !stop.stop_requested(); now = Clock::now()) {
    if (calls_.count() > 0) busy = now;
    if (now - busy >= kTimeToHear) {
      if (std::none_of(listeners_.begin(), listeners_.end(), receives)) {
        CancelCalls();
        return;
      }
      busy = now;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

void Drain::CancelCalls() {
  cancels_ = true;
  const std::lock_guard lock(mutex_);
  for (Listener* listener : listeners_) listener->CancelCalls();
}

}  // namespace lazynet::server
