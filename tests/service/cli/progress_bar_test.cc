#include "service/cli/progress_bar.h"

#include <gtest/gtest.h>

#include <sstream>

namespace lazynet::cli {
namespace {

TEST(ProgressBar, IsALineThatIsWrittenAgainAndCleared) {
  std::ostringstream out;
  {
    ProgressBar bar(out, 80);
    bar.Show(0.5, "half\x1b");
    bar.Show(2, "all");
  }
  EXPECT_EQ(out.str(),
            "\r\x1b[K[##########..........] half?"
            "\r\x1b[K[####################] all"
            "\r\x1b[K");
}

TEST(ProgressBar, FitsTheLine) {
  std::ostringstream out;
  ProgressBar bar(out, 30);
  bar.Show(0, "a text that is too long");
  EXPECT_EQ(out.str(), "\r\x1b[K[....................] a text");
}

TEST(ProgressBar, IsSilentWithoutATerminal) {
  std::ostringstream out;
  ProgressBar(out, 0).Show(0.5, "half");
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace lazynet::cli
