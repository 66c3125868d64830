#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace lazynet::cli {

// How a command ends.
enum ExitCode : int {
  kDone = 0,
  // The server said no, or is not healthy.
  kRefused = 1,
  // The arguments make no sense, or a file cannot be used.
  kUsage = 2,
  kUnreachable = 3,
};

// The client as a function: `args` without the program's name. Results go to `out`, whatever went
// wrong to `err`; returns an ExitCode.
int Main(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

}  // namespace lazynet::cli
