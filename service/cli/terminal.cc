#include "service/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

namespace lazynet::cli {

std::optional<TerminalSize> TerminalOf(const std::ostream& out) {
  const int file = &out == &std::cout ? STDOUT_FILENO : &out == &std::cerr ? STDERR_FILENO : -1;
  if (file < 0 || isatty(file) == 0) return std::nullopt;
  winsize size{};
  if (ioctl(file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return TerminalSize();
  }
  return TerminalSize{.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace lazynet::cli
