#include "service/scheduling/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

namespace lazynet::scheduling {
namespace {

namespace fs = std::filesystem;

// "150000 100000" is one and a half; "max 100000" is no limit.
double QuotaOfV2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : kNoLimit;
}

// -1 is no limit.
double QuotaOfV1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us");
  std::ifstream period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? quota / period
                                                                                 : kNoLimit;
}

int ProcessorsOfAffinity() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double ProcessorQuota(const SystemFolders& folders) {
  return LeastGroupLimit(folders, "cpu", QuotaOfV2, QuotaOfV1);
}

int AvailableProcessors(const SystemFolders& folders) {
  const double affinity = ProcessorsOfAffinity();
  return std::max(1, static_cast<int>(std::min(affinity, std::floor(ProcessorQuota(folders)))));
}

}  // namespace lazynet::scheduling
