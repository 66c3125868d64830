#include "service/scheduling/memory_limit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/service/support/scratch_folder.h"

namespace lazynet::scheduling {
namespace {

class MemoryLimitTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) { folder_.Write(path, text); }
  SystemFolders folders() const { return {folder_.path() / "proc", folder_.path() / "cgroup"}; }

  testing::ScratchFolder folder_;
};

TEST_F(MemoryLimitTest, NoneIsInfiniteAndTheMachinesMemoryRemains) {
  EXPECT_TRUE(std::isinf(MemoryLimit(folders())));
  Write("proc/cgroup", "0::/a\n3:memory:/a\n");
  Write("cgroup/a/memory.max", "max\n");
  EXPECT_TRUE(std::isinf(MemoryLimit(folders())));
  EXPECT_GT(AvailableMemory(folders()), size_t{1} << 20);
  EXPECT_LT(AvailableMemory(folders()), size_t{1} << 50);
}

TEST_F(MemoryLimitTest, ReadsBothVersionsAndTakesTheLeastAround) {
  Write("proc/cgroup", "0::/a/b\n");
  Write("cgroup/a/b/memory.max", "3000000\n");
  EXPECT_EQ(MemoryLimit(folders()), 3e6);
  Write("cgroup/a/memory.max", "2000000\n");
  EXPECT_EQ(MemoryLimit(folders()), 2e6);
  Write("proc/cgroup", "4:memory:/docker/x\n5:cpu:/docker/y\n");
  Write("cgroup/memory/docker/x/memory.limit_in_bytes", "1000000\n");
  Write("cgroup/cpu/docker/y/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(AvailableMemory(folders()), 1'000'000u);
}

TEST_F(MemoryLimitTest, V1SaysNoLimitWithAHugeNumber) {
  Write("proc/cgroup", "4:memory:/\n");
  const size_t machine = AvailableMemory(folders());
  Write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(AvailableMemory(folders()), machine);
}

TEST_F(MemoryLimitTest, AFifthIsLeftForTheProcess) { EXPECT_EQ(DefaultMemoryBudget(1000), 800u); }

}  // namespace
}  // namespace lazynet::scheduling
