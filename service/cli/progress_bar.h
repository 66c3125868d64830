#pragma once

#include <iosfwd>
#include <string_view>

namespace lazynet::cli {

// How far something has come, in one line of a terminal that is written again and again, and
// cleared at the end.
class ProgressBar {
 public:
  // A terminal of so many columns; 0: none, and nothing is written.
  ProgressBar(std::ostream& out, int columns) : out_(out), columns_(columns) {}
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `share`: 0 to 1.
  void Show(double share, std::string_view text);
  void Clear();

 private:
  std::ostream& out_;
  const int columns_;
  bool shown_ = false;
};

}  // namespace lazynet::cli
