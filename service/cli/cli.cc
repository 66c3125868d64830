#include "service/cli/cli.h"

#include <exception>
#include <ostream>

#include "service/cli/answer.h"
#include "service/cli/client.h"
#include "service/cli/command_line.h"
#include "service/cli/json_report.h"
#include "service/cli/request.h"
#include "service/cli/table.h"
#include "service/cli/text_report.h"

namespace lazynet::cli {
namespace {

using grpc::health::v1::HealthCheckResponse;

class Session {
 public:
  Session(const Options& options, std::ostream& out, std::ostream& err)
      : options_(options), out_(out), err_(err), client_(options.server, options.timeout_seconds) {}

  int Run() {
    switch (options_.command) {
      case Command::kModels:
        return Show(client_.RepositoryIndex());
      case Command::kMetadata:
        return Show(client_.ModelMetadata(options_.model, options_.version));
      case Command::kDescribe:
        return Show(client_.DescribeNetwork(options_.model, options_.version));
      case Command::kInfer:
        return Infer();
      case Command::kHealth:
        return Health();
      case Command::kWait:
        break;
    }
    return Wait();
  }

 private:
  template <typename Response>
  int Show(const absl::StatusOr<Response>& response) {
    if (!response.ok()) return CallFailed(response.status());
    options_.json ? json::Print(*response, out_) : text::Print(*response, out_);
    return kDone;
  }

  int Infer() {
    const auto metadata = client_.ModelMetadata(options_.model, options_.version);
    if (!metadata.ok()) return CallFailed(metadata.status());
    const auto request = MakeRequest(options_, *metadata);
    if (!request.ok()) return Fail(kUsage, Message(request.status()));
    const auto response = client_.ModelInfer(*request);
    if (!response.ok()) return CallFailed(response.status());
    auto answer = ReadAnswer(*response);
    if (!answer.ok()) {
      return Fail(kRefused, fmt::format("the answer of {} cannot be used: {}", options_.server,
                                        Message(answer.status())));
    }
    if (options_.infer.format == Format::kNpy) {
      const absl::Status written = WriteOutputs(options_.infer.destination, *answer);
      if (!written.ok()) return Fail(kUsage, Message(written));
    }
    if (options_.json || options_.infer.format == Format::kJson) {
      json::Print(*answer, out_);
    } else {
      text::Print(*answer, options_.infer.width, options_.infer.rows, out_);
    }
    return kDone;
  }

  int Health() {
    const auto health = client_.CheckHealth(options_.model);
    if (!health.ok()) {
      CallFailed(health.status());
      return kRefused;
    }
    return ShowHealth(health->status());
  }

  int Wait() {
    constexpr double kPollSeconds = 0.1;
    bool reached = false;
    std::string last;
    do {
      const auto health = client_.CheckHealth(options_.model);
      if (health.ok() && health->status() == HealthCheckResponse::SERVING) {
        return ShowHealth(health->status());
      }
      // No health service now, none later.
      if (absl::IsUnimplemented(health.status())) return CallFailed(health.status());
      reached = reached || client_.reached();
      // What was last heard says more than that the time is up.
      if (last.empty() || !absl::IsDeadlineExceeded(health.status())) {
        last = health.ok() ? HealthCheckResponse::ServingStatus_Name(health->status())
                           : CallText(health.status());
      }
    } while (client_.Pause(kPollSeconds));
    return Fail(reached ? kRefused : kUnreachable,
                fmt::format("{} is not SERVING after {} s: {}", HealthSubject(),
                            options_.timeout_seconds, last));
  }

  int ShowHealth(HealthCheckResponse::ServingStatus status) {
    const std::string text = HealthCheckResponse::ServingStatus_Name(status);
    if (options_.json) {
      json::PrintHealth(options_.model, text, out_);
    } else {
      out_ << Printable(HealthSubject()) << ": " << text << '\n';
    }
    return status == HealthCheckResponse::SERVING ? kDone : kRefused;
  }

  std::string HealthSubject() const {
    return options_.model.empty() ? options_.server
                                  : fmt::format("{} at {}", options_.model, options_.server);
  }

  // For a status of the last call: gRPC's code and message.
  std::string CallText(const absl::Status& status) const {
    const std::string where =
        client_.reached() ? "" : fmt::format("no server reached at {}: ", options_.server);
    const bool late = absl::IsDeadlineExceeded(status) && options_.timeout_seconds > 0;
    return fmt::format("{}: {}{}{}", absl::StatusCodeToString(status.code()), where,
                       Message(status),
                       late ? fmt::format(" (--timeout {})", options_.timeout_seconds) : "");
  }

  int CallFailed(const absl::Status& status) {
    return Fail(client_.reached() ? kRefused : kUnreachable, CallText(status));
  }

  int Fail(ExitCode code, std::string_view message) {
    err_ << "lazynet: " << Printable(message, true) << '\n';
    return code;
  }

  const Options& options_;
  std::ostream& out_;
  std::ostream& err_;
  Client client_;
};

}  // namespace

int Main(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
  try {
    const ParsedCommandLine parsed = ParseCommandLine(args, out, err);
    const int code = parsed.exit_code ? *parsed.exit_code : Session(parsed.options, out, err).Run();
    if (out.flush()) return code;
    err << "lazynet: the output cannot be written\n";
  } catch (const std::exception& error) {  // out of memory, above all
    err << "lazynet: " << error.what() << '\n';
  }
  return kUsage;
}

}  // namespace lazynet::cli
