#pragma once

#include <string>

#include "engine/core/status.h"

namespace lazynet::cli {

// All of a file. Errors do not name it.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

// Whether a definition, or the like, is in JSON rather than in protobuf's text form.
bool IsJson(const std::string& path);

}  // namespace lazynet::cli
