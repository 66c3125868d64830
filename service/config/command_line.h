#pragma once

#include <optional>

#include "service/config/config.h"

namespace lazynet::config {

// What a command line asks for: a configuration to run with, or, when --help, --version or an error
// was printed instead, an exit code.
struct CommandLine {
  std::optional<ServerConfig> config;
  int exit_code = 0;
};

// Reads flags and, where a flag is left out, its environment variable. Prints help to stdout and
// errors to stderr.
CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace lazynet::config
