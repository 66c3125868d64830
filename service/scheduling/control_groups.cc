#include "service/scheduling/control_groups.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace lazynet::scheduling {
namespace {

namespace fs = std::filesystem;

// Of a group and those around it, up to where they are mounted. Inside a container the group may be
// called by a name that only the host has: then the mount is the group.
double LeastFrom(const fs::path& mount, std::string_view group, ReadGroupLimit read) {
  double least = read(mount);
  fs::path path = mount;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(group.data(), group.size()), '/', absl::SkipEmpty())) {
    path /= std::string(part);
    least = std::min(least, read(path));
  }
  return least;
}

}  // namespace

double LeastGroupLimit(const SystemFolders& folders, std::string_view controller,
                       ReadGroupLimit read_v2, ReadGroupLimit read_v1) {
  double least = kNoLimit;
  std::ifstream groups(folders.proc / "cgroup");
  // "0::/group" is version 2; "4:cpu,cpuacct:/group" is version 1.
  for (std::string line; std::getline(groups, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    if (fields[1].empty()) {
      for (const char* mount : {"", "unified"}) {
        least = std::min(least, LeastFrom(folders.cgroup / mount, fields[2], read_v2));
      }
      continue;
    }
    const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
    if (std::find(controllers.begin(), controllers.end(), controller) == controllers.end()) {
      continue;
    }
    for (const std::string& mount : {fields[1], std::string(controller)}) {
      least = std::min(least, LeastFrom(folders.cgroup / mount, fields[2], read_v1));
    }
  }
  return least;
}

}  // namespace lazynet::scheduling
