#include "service/scheduling/processors.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cmath>
#include <fstream>

#include "tests/service/support/scratch_folder.h"

namespace lazynet::scheduling {
namespace {

class ProcessorsTest : public ::testing::Test {
 protected:
  void Write(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories((folder_.path() / path).parent_path());
    std::ofstream(folder_.path() / path) << text;
  }
  SystemFolders folders() const { return {folder_.path() / "proc", folder_.path() / "cgroup"}; }
  double Quota() const { return ProcessorQuota(folders()); }

  testing::ScratchFolder folder_;
};

TEST_F(ProcessorsTest, NoQuotaIsInfinite) {
  EXPECT_TRUE(std::isinf(Quota()));
  Write("proc/cgroup", "0::/a\n3:cpu:/a\nrubbish\n");
  EXPECT_TRUE(std::isinf(Quota()));
  Write("cgroup/a/cpu.max", "max 100000\n");
  Write("cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
  Write("cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_TRUE(std::isinf(Quota()));
}

TEST_F(ProcessorsTest, ReadsVersion2) {
  Write("proc/cgroup", "0::/a/b\n");
  Write("cgroup/a/b/cpu.max", "350000 100000\n");
  EXPECT_EQ(Quota(), 3.5);
}

TEST_F(ProcessorsTest, AGroupAroundItLimits) {
  Write("proc/cgroup", "0::/a/b\n");
  Write("cgroup/a/b/cpu.max", "max 100000\n");
  Write("cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(Quota(), 0.5);
}

TEST_F(ProcessorsTest, InAContainerTheMountIsTheGroup) {
  Write("proc/cgroup", "0::/\n");
  Write("cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(Quota(), 2);
  Write("proc/cgroup", "0::/known/to/the/host\n");
  EXPECT_EQ(Quota(), 2);
}

TEST_F(ProcessorsTest, ReadsVersion1) {
  Write("proc/cgroup", "5:memory:/m\n4:cpu,cpuacct:/docker/x\n0::/\n");
  Write("cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "250000\n");
  Write("cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Quota(), 2.5);
  Write("proc/cgroup", "1:cpu:/y\n");
  Write("cgroup/cpu/y/cpu.cfs_quota_us", "150000\n");
  Write("cgroup/cpu/y/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(Quota(), 3);
}

TEST_F(ProcessorsTest, IsAtLeastOneAndAtMostTheAffinity) {
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  Write("proc/cgroup", "0::/\n");
  EXPECT_EQ(AvailableProcessors(folders()), CPU_COUNT(&set));
  Write("cgroup/cpu.max", "10000 100000\n");
  EXPECT_EQ(AvailableProcessors(folders()), 1);
}

}  // namespace
}  // namespace lazynet::scheduling
