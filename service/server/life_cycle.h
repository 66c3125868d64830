#pragma once

#include <chrono>

#include "service/server/server.h"
#include "service/server/signals.h"

namespace lazynet::server {

struct DrainOptions {
  std::chrono::seconds grace;    // between "not ready" and the first refusal
  std::chrono::seconds timeout;  // that calls in flight then have to end
};

// Serves until it is told to stop, and returns when nothing is in flight any more. SIGHUP reads
// files again. SIGTERM or SIGINT: not ready at once; refuses calls after the grace; returns when
// those in flight have ended, or are cancelled by the timeout or a second such signal.
void ServeUntilStopped(Server& server, Signals& signals, const DrainOptions& drain);

}  // namespace lazynet::server
