#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "service/cli/cli.h"

namespace lazynet::cli {

// What a run of the client left behind.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

inline Outcome RunClient(const std::vector<std::string>& args) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = Main(args, out, err);
  return {code, out.str(), err.str()};
}

// The running test's own folder, empty; gone at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string(test->test_suite_name()) + "." + test->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace lazynet::cli
