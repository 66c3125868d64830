#include "service/server/listener.h"

#include <gtest/gtest.h>

namespace lazynet::server {
namespace {

constexpr size_t kMib = size_t{1} << 20;

TEST(ConnectionMemory, IsAShareOfWhatThereIsUnlessItIsGiven) {
  EXPECT_EQ(ConnectionMemory({}, 2048 * kMib), 2048 * kMib / 20);
  EXPECT_EQ(ConnectionMemory({}, 256 * kMib), 64 * kMib);
  EXPECT_EQ(ConnectionMemory({}, 1024 * 1024 * kMib), 4096 * kMib);
  EXPECT_EQ(ConnectionMemory({.memory_bytes = 10 << 20}, 2048 * kMib), 10 * kMib);
  EXPECT_EQ(ConnectionMemory({.memory_bytes = 1}, 2048 * kMib), kMib);
}

}  // namespace
}  // namespace lazynet::server
