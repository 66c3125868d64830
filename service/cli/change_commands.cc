#include <fmt/format.h>

#include <string>
#include <vector>

#include "service/cli/commands.h"
#include "service/cli/named_inputs.h"
#include "service/cli/register_request.h"
#include "service/cli/text_format.h"

namespace lazynet::cli {

ExitCode Materialize(Session& session) {
  const Options& options = session.options();
  v1::InitializeParametersRequest request;
  request.set_name(options.model);
  request.set_version(options.version);
  request.set_validate_only(options.validate_only);
  if (const auto failed = AddInputs(session, *request.mutable_inputs())) return *failed;
  return session.ShowWithErrors(session.client().InitializeParameters(request),
                                options.validate_only);
}

ExitCode Register(Session& session) {
  const auto request = MakeRegisterRequest(session.options());
  if (!request.ok()) return session.Fail(kUsage, Message(request.status()));
  return session.Show(session.client().RegisterNetwork(*request), session.options().model);
}

ExitCode SaveCheckpoint(Session& session) {
  const Options& options = session.options();
  v1::SaveCheckpointRequest request;
  request.set_name(options.model);
  request.set_version(options.version);
  request.set_checkpoint(options.checkpoint);
  request.set_overwrite(options.overwrite);
  const auto response = session.client().SaveCheckpoint(request);
  if (response.ok() && !response->uninitialized_keys().empty()) {
    session.Warn(
        fmt::format("left out, without values: {}", text::Join(response->uninitialized_keys())));
  }
  return session.Show(response, options.checkpoint);
}

ExitCode LoadCheckpoint(Session& session) {
  const Options& options = session.options();
  v1::LoadCheckpointRequest request;
  request.set_name(options.model);
  request.set_version(options.version);
  request.set_checkpoint(options.checkpoint);
  request.set_strict(options.strict);
  request.set_validate_only(options.validate_only);
  return session.ShowWithErrors(session.client().LoadCheckpoint(request), options.validate_only);
}

}  // namespace lazynet::cli
