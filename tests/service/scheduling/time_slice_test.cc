#include "service/scheduling/time_slice.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

namespace lazynet::scheduling {
namespace {

// sched_attr of Linux' headers, which glibc's are at odds with.
struct Attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

TEST(TimeSlice, LeavesPolicyAndNicenessAsTheyAre) {
  std::thread([] {
    setpriority(PRIO_PROCESS, 0, 3);
    AskForShortTimeSlices();
    Attributes attributes{};
    ASSERT_EQ(syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0), 0);
    EXPECT_EQ(attributes.policy, SCHED_OTHER);
    EXPECT_EQ(attributes.nice, 3);
    // Systems that know no slices tell none.
    EXPECT_TRUE(attributes.runtime == 0 || attributes.runtime == 100'000) << attributes.runtime;
  }).join();
}

}  // namespace
}  // namespace lazynet::scheduling
