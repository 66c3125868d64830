#include "service/server/life_cycle.h"

#include <spdlog/spdlog.h>

#include <thread>

namespace lazynet::server {
namespace {

using Event = Signals::Event;

// Whether the grace passed without a second stop.
bool WaitForGrace(Signals& signals, std::chrono::seconds grace) {
  const auto end = std::chrono::steady_clock::now() + grace;
  while (const auto event = signals.WaitUntil(end)) {
    if (*event == Event::kStop) return false;
  }
  return true;
}

void ShutDown(Server& server, Signals& signals, std::chrono::seconds timeout) {
  std::jthread closing([&] {
    server.Shutdown(timeout);
    signals.Wake();
  });
  Event event = signals.Wait();
  for (; event != Event::kWoken; event = signals.Wait()) {
    if (event != Event::kStop) continue;
    spdlog::warn("{} again: cancelling what is in flight", signals.stop_name());
    server.CancelCalls();
  }
}

}  // namespace

void ServeUntilStopped(Server& server, Signals& signals, const DrainOptions& drain) {
  while (signals.Wait() != Event::kStop) server.RequestReload();
  spdlog::info("{}: draining", signals.stop_name());
  server.BecomeUnready();
  const bool undisturbed = WaitForGrace(signals, drain.grace);
  if (!undisturbed) spdlog::warn("{} again: not waiting any more", signals.stop_name());
  ShutDown(server, signals, undisturbed ? drain.timeout : std::chrono::seconds(0));
}

}  // namespace lazynet::server
