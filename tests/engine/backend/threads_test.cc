#include "engine/backend/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace lazynet::backend {
namespace {

TEST(Threads, PartsCoverAllOnce) {
  for (const int threads : {1, 2, 3, 7}) {
    for (const int64_t count : {1, 2, 3, 64, 65, 1000}) {
      for (const int64_t step : {1, 16, 64}) {
        std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
        std::vector<std::atomic<int>> parts(static_cast<size_t>(threads));
        ForEachPart(threads, count, step, [&](int64_t begin, int64_t end, int part) {
          EXPECT_EQ(begin % step, 0);
          EXPECT_LT(begin, end);
          ++parts.at(static_cast<size_t>(part));
          for (int64_t i = begin; i < end; ++i) ++visits.at(static_cast<size_t>(i));
        });
        for (const auto& visited : visits) EXPECT_EQ(visited, 1);
        for (const auto& run : parts) EXPECT_LE(run, 1);
      }
    }
  }
}

TEST(Threads, NothingHasNoParts) {
  ForEachPart(2, 0, 1, [](int64_t begin, int64_t end, int) { EXPECT_EQ(begin, end); });
}

TEST(Threads, AnErrorOfOneCallIsThatOfAll) {
  for (const int threads : {1, 2}) {
    const absl::Status status = ForEachInParallel(threads, 5, [](int64_t index, size_t) {
      return index == 3 ? absl::InternalError("three") : absl::OkStatus();
    });
    EXPECT_EQ(status.message(), "three");
  }
}

TEST(Threads, KernelThreadsAreThoseThatWereSet) {
  SetKernelThreads(3);
  EXPECT_EQ(KernelThreads(), 3);
  SetKernelThreads(1);
  EXPECT_EQ(KernelThreads(), 1);
}

}  // namespace
}  // namespace lazynet::backend
