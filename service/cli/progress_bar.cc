#include "service/cli/progress_bar.h"

#include <algorithm>
#include <ostream>
#include <string>

#include "service/cli/table.h"

namespace lazynet::cli {
namespace {

constexpr int kWidth = 20;
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

void ProgressBar::Show(double share, std::string_view text) {
  if (columns_ <= 0) return;
  const auto done = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kWidth);
  std::string line = "[";
  line.append(done, '#').append(kWidth - done, '.').append("] ").append(Printable(text));
  line.resize(std::min(line.size(), static_cast<size_t>(columns_ - 1)));
  out_ << kClearLine << line << std::flush;
  shown_ = true;
}

void ProgressBar::Clear() {
  if (shown_) out_ << kClearLine << std::flush;
  shown_ = false;
}

}  // namespace lazynet::cli
