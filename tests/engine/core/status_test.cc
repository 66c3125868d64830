#include "engine/core/status.h"

#include <gtest/gtest.h>

namespace lazynet {
namespace {

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("wants an even number, got {}", value);
  return value / 2;
}

absl::Status Quarter(int value, int& result) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  ASSIGN_OR_RETURN(result, Half(half));
  return absl::OkStatus();
}

TEST(Status, ErrorsReturnThroughTheMacros) {
  int result = 0;
  EXPECT_TRUE(Quarter(12, result).ok());
  EXPECT_EQ(result, 3);
  EXPECT_EQ(Message(Quarter(6, result)), "wants an even number, got 3");
}

TEST(Status, AnnotateKeepsTheCode) {
  const absl::Status status = Annotate("layer \"fc1\"", InvalidArgument("wants 1, got 2"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), "layer \"fc1\": wants 1, got 2");
  EXPECT_TRUE(Annotate("x", absl::OkStatus()).ok());
}

}  // namespace
}  // namespace lazynet
