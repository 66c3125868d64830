#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace lazynet::security {

// A small file as it is. Errors are for the operator, name the file and say why: NOT_FOUND when it
// cannot be read, INVALID_ARGUMENT when it is empty or larger than 1 MiB.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

}  // namespace lazynet::security
