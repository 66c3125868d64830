#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "service/cli/options.h"

namespace lazynet::cli {

// The options, or the exit code when there is nothing left to do: help was printed to `out`, or
// what is wrong to `err`.
struct ParsedCommandLine {
  std::optional<int> exit_code;
  Options options;
};

ParsedCommandLine ParseCommandLine(const std::vector<std::string>& args, std::ostream& out,
                                   std::ostream& err);

}  // namespace lazynet::cli
