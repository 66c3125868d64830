#pragma once

#include "service/cli/session.h"

// The commands that do more than show the answer to one call.
namespace lazynet::cli {

ExitCode Infer(Session& session);
ExitCode Health(Session& session);
ExitCode Wait(Session& session);

}  // namespace lazynet::cli
