#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/status.h"
#include "service/cli/cli.h"
#include "service/cli/client.h"
#include "service/cli/json_report.h"
#include "service/cli/options.h"
#include "service/cli/text_report.h"

namespace lazynet::cli {

// What a command has while it runs.
class Session {
 public:
  Session(const Options& options, std::ostream& out, std::ostream& err)
      : options_(options), out_(out), err_(err) {}

  const Options& options() const { return options_; }
  // Made when it is first asked for: not every command has a server.
  Client& client() {
    if (!client_) client_.emplace(options_.server, options_.credentials, options_.timeout_seconds);
    return *client_;
  }
  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }

  // Prints what a call answered, with what the text report wants beside it, or its error.
  template <typename Response, typename... More>
  ExitCode Show(const absl::StatusOr<Response>& response, const More&... more) {
    if (!response.ok()) return CallFailed(response.status());
    options_.json ? json::Print(*response, out_) : text::Print(*response, more..., out_);
    return kDone;
  }

  // The same for calls that may list errors instead of failing: the report, then the errors.
  template <typename Response, typename... More>
  ExitCode ShowWithErrors(const absl::StatusOr<Response>& response, const More&... more) {
    ExitCode code = Show(response, more...);
    if (!response.ok()) return code;
    for (const std::string& error : response->errors()) code = Fail(kRefused, error);
    return code;
  }

  // For a status of the last call: gRPC's code and message.
  std::string CallText(const absl::Status& status) const;
  ExitCode CallFailed(const absl::Status& status);

  // The call went well, but its answer breaks the protocol.
  ExitCode AnswerFailed(const absl::Status& status);

  void Warn(std::string_view message);
  ExitCode Fail(ExitCode code, std::string_view message);

 private:
  const Options& options_;
  std::ostream& out_;
  std::ostream& err_;
  std::optional<Client> client_;
};

}  // namespace lazynet::cli
