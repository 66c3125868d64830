#include <fmt/format.h>

#include <ostream>
#include <string>

#include "service/cli/commands.h"
#include "service/cli/table.h"

namespace lazynet::cli {
namespace {

using grpc::health::v1::HealthCheckResponse;

std::string HealthSubject(const Session& session) {
  return session.options().model.empty()
             ? session.options().server
             : fmt::format("{} at {}", session.options().model, session.options().server);
}

ExitCode ShowHealth(Session& session, HealthCheckResponse::ServingStatus status) {
  const std::string text = HealthCheckResponse::ServingStatus_Name(status);
  if (session.options().json) {
    json::PrintHealth(session.options().model, text, session.out());
  } else {
    session.out() << Printable(HealthSubject(session)) << ": " << text << '\n';
  }
  return status == HealthCheckResponse::SERVING ? kDone : kRefused;
}

}  // namespace

ExitCode Health(Session& session) {
  const auto health = session.client().CheckHealth(session.options().model);
  if (!health.ok()) {
    session.CallFailed(health.status());
    return kRefused;
  }
  return ShowHealth(session, health->status());
}

ExitCode Wait(Session& session) {
  constexpr double kPollSeconds = 0.1;
  bool reached = false;
  std::string last;
  do {
    const auto health = session.client().CheckHealth(session.options().model);
    if (health.ok() && health->status() == HealthCheckResponse::SERVING) {
      return ShowHealth(session, health->status());
    }
    // No health service now, none later.
    if (absl::IsUnimplemented(health.status())) return session.CallFailed(health.status());
    reached = reached || session.client().reached();
    // What was last heard says more than that the time is up.
    if (last.empty() || !absl::IsDeadlineExceeded(health.status())) {
      last = health.ok() ? HealthCheckResponse::ServingStatus_Name(health->status())
                         : session.CallText(health.status());
    }
  } while (session.client().Pause(kPollSeconds));
  return session.Fail(reached ? kRefused : kUnreachable,
                      fmt::format("{} is not SERVING after {} s: {}", HealthSubject(session),
                                  session.options().timeout_seconds, last));
}

}  // namespace lazynet::cli
