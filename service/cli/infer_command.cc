#include "service/cli/answer.h"
#include "service/cli/commands.h"
#include "service/cli/request.h"
#include "service/cli/timing.h"

namespace lazynet::cli {

ExitCode Infer(Session& session) {
  const Options& options = session.options();
  Client& client = session.client();
  const auto metadata = client.ModelMetadata(options.model, options.version);
  if (!metadata.ok()) return session.CallFailed(metadata.status());
  auto request = MakeRequest(options, *metadata);
  if (!request.ok()) return session.Fail(kUsage, Message(request.status()));
  if (options.infer.timing) AskForTiming(*request);
  const auto response = client.ModelInfer(*request);
  if (!response.ok()) return session.CallFailed(response.status());
  auto answer = ReadAnswer(*response);
  if (!answer.ok()) return session.AnswerFailed(answer.status());
  if (options.infer.timing && !answer->timing) {
    session.Warn("the server does not tell what it spent on a request");
  }
  if (options.infer.format == Format::kNpy) {
    const absl::Status written = WriteOutputs(options.infer.destination, *answer);
    if (!written.ok()) return session.Fail(kUsage, Message(written));
  }
  if (options.json || options.infer.format == Format::kJson) {
    json::Print(*answer, session.out());
  } else {
    text::Print(*answer, options.infer.width, options.infer.rows, session.out());
  }
  return kDone;
}

}  // namespace lazynet::cli
