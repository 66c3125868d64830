#pragma once

#include <filesystem>
#include <limits>
#include <string_view>

namespace lazynet::scheduling {

// Where Linux tells what a process may use; other places in tests.
struct SystemFolders {
  std::filesystem::path proc = "/proc/self";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
};

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// Reads a limit in the folder of one group; kNoLimit when there is none.
using ReadGroupLimit = double (*)(const std::filesystem::path& group);

// The least limit of the process's control group and of those around it, of either version; in
// version 1 the groups of `controller`, such as "cpu".
double LeastGroupLimit(const SystemFolders& folders, std::string_view controller,
                       ReadGroupLimit read_v2, ReadGroupLimit read_v1);

}  // namespace lazynet::scheduling
