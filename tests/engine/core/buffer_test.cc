#include "engine/core/buffer.h"

#include <gtest/gtest.h>

namespace lazynet {
namespace {

TEST(Buffer, IsAlignedToACacheLine) {
  for (size_t bytes : {1, 63, 64, 65, 4096}) {
    const auto buffer = Buffer::Allocate(bytes);
    ASSERT_TRUE(buffer.ok());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % Buffer::kAlignment, 0u);
    EXPECT_EQ(buffer->size(), bytes);
  }
}

TEST(Buffer, MayBeEmpty) {
  const auto buffer = Buffer::Allocate(0);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(buffer->data(), nullptr);
}

TEST(Buffer, TooLargeIsAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers end the process on impossible allocations";
#endif
  const auto buffer = Buffer::Allocate(size_t{1} << 62);
  EXPECT_EQ(buffer.status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace lazynet
