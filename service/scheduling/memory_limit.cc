#include "service/scheduling/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace lazynet::scheduling {
namespace {

namespace fs = std::filesystem;

// "max" is no limit.
double ReadBytes(const fs::path& path) {
  std::ifstream file(path);
  double bytes = 0;
  return file >> bytes && bytes > 0 ? bytes : kNoLimit;
}

double LimitOfV2(const fs::path& group) { return ReadBytes(group / "memory.max"); }

// Where there is none, a number beyond all memory.
double LimitOfV1(const fs::path& group) { return ReadBytes(group / "memory.limit_in_bytes"); }

}  // namespace

double MemoryLimit(const SystemFolders& folders) {
  return LeastGroupLimit(folders, "memory", LimitOfV2, LimitOfV1);
}

size_t AvailableMemory(const SystemFolders& folders) {
  const double physical =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return static_cast<size_t>(std::min(physical, MemoryLimit(folders)));
}

size_t DefaultMemoryBudget(size_t available) { return available / 5 * 4; }

}  // namespace lazynet::scheduling
