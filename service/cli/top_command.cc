#include <ostream>
#include <string>
#include <thread>
#include <utility>

#include "service/cli/commands.h"
#include "service/cli/http_get.h"
#include "service/cli/server_load.h"
#include "service/cli/table.h"
#include "service/cli/terminal.h"

namespace lazynet::cli {
namespace {

using Clock = std::chrono::steady_clock;

// To the upper left corner; to the end of the line, of the screen.
constexpr const char* kHome = "\x1b[H";
constexpr const char* kClearLine = "\x1b[K\n";
constexpr const char* kClearRest = "\x1b[J";

struct Moment {
  Clock::time_point time;
  ServerSample sample;
};

absl::StatusOr<Moment> Look(const Options& options) {
  const std::chrono::duration<double> timeout(options.timeout_seconds);
  ASSIGN_OR_RETURN(
      const std::string page,
      HttpGet(options.server, "/metrics", std::chrono::ceil<std::chrono::milliseconds>(timeout)));
  Moment moment{.time = Clock::now()};
  ASSIGN_OR_RETURN(moment.sample, ReadServerSample(page));
  return moment;
}

double SecondsSince1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void Show(const std::vector<std::string>& lines, bool in_place, std::ostream& out) {
  if (in_place) out << kHome;
  for (const std::string& line : lines) out << line << (in_place ? kClearLine : "\n");
  if (in_place) out << kClearRest;
  out << std::flush;
}

}  // namespace

ExitCode Top(Session& session) {
  const Options& options = session.options();
  const auto terminal = TerminalOf(session.out());
  const bool in_place = terminal.has_value() && !options.top.once && !options.json;
  const auto interval = std::chrono::duration<double>(options.top.interval_seconds);
  absl::StatusOr<Moment> before = Look(options);
  for (bool first = true;; first = false) {
    if (!before.ok()) {
      // A server that starts again is worth a wait, one that never was there is not.
      if (first || !in_place) {
        return session.Fail(absl::IsInvalidArgument(before.status()) ? kUsage
                            : absl::IsUnavailable(before.status())   ? kUnreachable
                                                                     : kRefused,
                            Message(before.status()));
      }
      Show({Printable(Message(before.status()))}, in_place, session.out());
    }
    std::this_thread::sleep_for(interval);
    absl::StatusOr<Moment> after = Look(options);
    if (before.ok() && after.ok()) {
      const ServerLoad load =
          LoadBetween(before->sample, after->sample, after->time - before->time);
      if (options.json) {
        json::Print(load, session.out());
        session.out() << std::flush;
      } else {
        // Where there is no terminal, there is room for all rows.
        const TerminalSize size =
            in_place
                ? *TerminalOf(session.out())
                : TerminalSize{.columns = terminal.value_or(TerminalSize()).columns, .rows = 0};
        Show(text::TopFrame(load, options.server, SecondsSince1970(), size), in_place,
             session.out());
      }
      if (options.top.once) return kDone;
      if (!session.out()) return kDone;  // nobody reads any more; Main says so
    }
    before = std::move(after);
  }
}

}  // namespace lazynet::cli
