#pragma once

#include <chrono>
#include <optional>

namespace lazynet::server {

// SIGTERM and SIGINT (stop), and SIGHUP (read files again), as events for one thread. One at a time
// in a process; from its making on, SIGHUP does not end the process.
class Signals {
 public:
  enum class Event { kStop, kReload, kWoken };

  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Stops are events from now on. Before, one ends the process at once, also where it is the first
  // of a container, to which the system's own way of ending it does not apply.
  void CatchStops();

  // The next event; several that came meanwhile are told one by one, stops first.
  Event Wait();

  // Nothing if none comes until then.
  std::optional<Event> WaitUntil(std::chrono::steady_clock::time_point deadline);

  // What the last stop was: "SIGTERM" or "SIGINT".
  const char* stop_name() const;

  // Makes Wait return kWoken. From any thread.
  void Wake();
};

}  // namespace lazynet::server
