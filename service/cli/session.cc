#include "service/cli/session.h"

#include <ostream>

#include "service/cli/table.h"

namespace lazynet::cli {

std::string Session::CallText(const absl::Status& status) const {
  const std::string where =
      client_->reached() ? "" : fmt::format("no server reached at {}: ", options_.server);
  const bool late = absl::IsDeadlineExceeded(status) && options_.timeout_seconds > 0;
  return fmt::format("{}: {}{}{}", absl::StatusCodeToString(status.code()), where, Message(status),
                     late ? fmt::format(" (--timeout {})", options_.timeout_seconds) : "");
}

ExitCode Session::CallFailed(const absl::Status& status) {
  return Fail(client_->reached() ? kRefused : kUnreachable, CallText(status));
}

ExitCode Session::AnswerFailed(const absl::Status& status) {
  return Fail(kRefused,
              fmt::format("the answer of {} cannot be used: {}", options_.server, Message(status)));
}

void Session::Warn(std::string_view message) {
  err_ << "lazynet: warning: " << Printable(message) << '\n';
}

ExitCode Session::Fail(ExitCode code, std::string_view message) {
  err_ << "lazynet: " << Printable(message, true) << '\n';
  return code;
}

}  // namespace lazynet::cli
