#pragma once

#include <iosfwd>
#include <optional>

namespace lazynet::cli {

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

// Of the terminal that a stream writes to; nothing when it writes elsewhere. 80x24 if the terminal
// does not tell.
std::optional<TerminalSize> TerminalOf(const std::ostream& out);

}  // namespace lazynet::cli
