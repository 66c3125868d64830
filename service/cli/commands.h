#pragma once

#include "service/cli/session.h"

// The commands that do more than show the answer to one call.
namespace lazynet::cli {

ExitCode Describe(Session& session);
ExitCode Infer(Session& session);
ExitCode Bench(Session& session);
ExitCode Top(Session& session);
ExitCode Health(Session& session);
ExitCode Wait(Session& session);
ExitCode Watch(Session& session);
ExitCode Check(Session& session);
ExitCode Materialize(Session& session);
ExitCode Register(Session& session);
ExitCode SaveStateDict(Session& session);
ExitCode LoadStateDict(Session& session);
ExitCode DiffStateDicts(Session& session);
ExitCode SaveCheckpoint(Session& session);
ExitCode LoadCheckpoint(Session& session);

}  // namespace lazynet::cli
