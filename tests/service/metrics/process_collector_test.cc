#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "service/metrics/registry.h"
#include "tests/service/metrics/text_format.h"

namespace lazynet::metrics {
namespace {

double Present(const char* name) {
  const auto value = ValueOf(Registry().Text(), name);
  EXPECT_TRUE(value) << name;
  return value.value_or(-1);
}

TEST(ProcessCollector, CountsOpenFileDescriptors) {
  const double before = Present("process_open_fds");
  const int fd = open("/dev/null", O_RDONLY);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(Present("process_open_fds"), before + 1);
  close(fd);
  EXPECT_EQ(Present("process_open_fds"), before);
}

TEST(ProcessCollector, TellsTheLimitOfFileDescriptors) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(Present("process_max_fds"), static_cast<double>(limit.rlim_cur));
}

TEST(ProcessCollector, CountsThreads) {
  const double before = Present("process_threads");
  std::promise<void> end;
  std::thread thread([&] { end.get_future().wait(); });
  EXPECT_EQ(Present("process_threads"), before + 1);
  end.set_value();
  thread.join();
}

TEST(ProcessCollector, MeasuresCpuTime) {
  rusage usage{};
  const double before = Present("process_cpu_seconds_total");
  ASSERT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  const double used = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  EXPECT_NEAR(before, used, 0.1);  // both in ticks of 10 ms
}

TEST(ProcessCollector, KnowsItsMemoryAndStart) {
  EXPECT_GT(Present("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(Present("process_virtual_memory_bytes"), Present("process_resident_memory_bytes"));
  EXPECT_GE(Present("process_virtual_memory_max_bytes"), Present("process_virtual_memory_bytes"));
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(Present("process_start_time_seconds"), now - 3600);
  EXPECT_LT(Present("process_start_time_seconds"), now + 5);  // the boot time is in whole seconds
}

}  // namespace
}  // namespace lazynet::metrics
