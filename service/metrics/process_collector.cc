#include "service/metrics/process_collector.h"

#include <prometheus/metric_type.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

namespace lazynet::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Fields of /proc/self/stat, see proc(5).
struct Stat {
  double cpu_seconds;
  double threads;
  double start_seconds;  // after boot
  double virtual_bytes;
  double resident_bytes;
};

std::optional<Stat> ReadStat() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  // The second field, the program's name in parentheses, may contain anything.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field <= 13; ++field) fields >> skipped;
  uint64_t utime = 0;
  uint64_t stime = 0;
  uint64_t threads = 0;
  uint64_t start_time = 0;
  uint64_t virtual_bytes = 0;
  uint64_t resident_pages = 0;
  fields >> utime >> stime;
  for (int field = 16; field <= 19; ++field) fields >> skipped;
  fields >> threads >> skipped >> start_time >> virtual_bytes >> resident_pages;
  if (!fields) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return Stat{.cpu_seconds = static_cast<double>(utime + stime) / ticks,
              .threads = static_cast<double>(threads),
              .start_seconds = static_cast<double>(start_time) / ticks,
              .virtual_bytes = static_cast<double>(virtual_bytes),
              .resident_bytes =
                  static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

double ReadBootTime() {
  std::ifstream file("/proc/stat");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string key;
    double value = 0;
    if (fields >> key >> value && key == "btime") return value;
  }
  return 0;
}

std::optional<double> CountOpenFds() {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  double count = 0;
  while (!error && entry != std::filesystem::directory_iterator()) {
    ++count;
    entry.increment(error);
  }
  if (error) return std::nullopt;
  return count - 1;  // the directory itself was open
}

std::optional<double> SoftLimit(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return std::nullopt;
  // No limit is 2^64 - 1, as other clients say it.
  return static_cast<double>(limit.rlim_cur);
}

void Add(std::vector<MetricFamily>& families, const char* name, const char* help, MetricType type,
         std::optional<double> value) {
  if (!value) return;
  MetricFamily& family = families.emplace_back(MetricFamily{name, help, type, {}});
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
}

}  // namespace

ProcessCollector::ProcessCollector() : boot_time_(ReadBootTime()) {}

std::vector<MetricFamily> ProcessCollector::Collect() const {
  std::vector<MetricFamily> families;
  if (const std::optional<Stat> stat = ReadStat()) {
    Add(families, "process_cpu_seconds_total", "User and system CPU time spent.",
        MetricType::Counter, stat->cpu_seconds);
    Add(families, "process_resident_memory_bytes", "Resident memory.", MetricType::Gauge,
        stat->resident_bytes);
    Add(families, "process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge,
        stat->virtual_bytes);
    if (boot_time_ > 0) {
      Add(families, "process_start_time_seconds", "Start of the process since the Unix epoch.",
          MetricType::Gauge, boot_time_ + stat->start_seconds);
    }
    Add(families, "process_threads", "Threads of the operating system.", MetricType::Gauge,
        stat->threads);
  }
  Add(families, "process_virtual_memory_max_bytes", "Virtual memory that the process may have.",
      MetricType::Gauge, SoftLimit(RLIMIT_AS));
  Add(families, "process_open_fds", "Open file descriptors.", MetricType::Gauge, CountOpenFds());
  Add(families, "process_max_fds", "File descriptors that the process may open.", MetricType::Gauge,
      SoftLimit(RLIMIT_NOFILE));
  return families;
}

}  // namespace lazynet::metrics
