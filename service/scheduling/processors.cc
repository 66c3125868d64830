#include "service/scheduling/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"

namespace lazynet::scheduling {
namespace {

namespace fs = std::filesystem;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// "150000 100000" is one and a half; "max 100000" is no limit.
double QuotaOfV2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : kNoQuota;
}

// -1 is no limit.
double QuotaOfV1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us");
  std::ifstream period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? quota / period
                                                                                 : kNoQuota;
}

// The least of a group and those around it, up to where they are mounted. Inside a container the
// group may be called by a name that only the host has: then the mount is the group.
double LeastQuota(const fs::path& mount, std::string_view group,
                  double (*quota_of)(const fs::path&)) {
  double least = quota_of(mount);
  fs::path path = mount;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(group.data(), group.size()), '/', absl::SkipEmpty())) {
    path /= std::string(part);
    least = std::min(least, quota_of(path));
  }
  return least;
}

int ProcessorsOfAffinity() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double ProcessorQuota(const SystemFolders& folders) {
  double quota = kNoQuota;
  std::ifstream groups(folders.proc / "cgroup");
  // "0::/group" is version 2; "4:cpu,cpuacct:/group" is version 1.
  for (std::string line; std::getline(groups, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    if (fields[1].empty()) {
      for (const char* mount : {"", "unified"}) {
        quota = std::min(quota, LeastQuota(folders.cgroup / mount, fields[2], QuotaOfV2));
      }
      continue;
    }
    const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
    if (std::find(controllers.begin(), controllers.end(), "cpu") == controllers.end()) continue;
    for (const std::string& mount : {fields[1], std::string("cpu")}) {
      quota = std::min(quota, LeastQuota(folders.cgroup / mount, fields[2], QuotaOfV1));
    }
  }
  return quota;
}

int AvailableProcessors(const SystemFolders& folders) {
  const double affinity = ProcessorsOfAffinity();
  return std::max(1, static_cast<int>(std::min(affinity, std::floor(ProcessorQuota(folders)))));
}

}  // namespace lazynet::scheduling
