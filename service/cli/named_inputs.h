#pragma once

#include <optional>

#include "service/cli/session.h"

namespace lazynet::cli {

// Adds the shapes of --shape to a request's inputs. Where one has no name, the server is asked for
// that of the only input. Returns how the command ends if that cannot be.
std::optional<ExitCode> AddInputs(Session& session,
                                  google::protobuf::RepeatedPtrField<v1::BoundInput>& inputs);

}  // namespace lazynet::cli
