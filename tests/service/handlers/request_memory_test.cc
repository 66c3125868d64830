#include "service/handlers/request_memory.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {
namespace {

TEST(RequestMemory, IsTakenByRequestsAndGivenBackWhenTheyEnd) {
  RequestMemory memory(100);
  auto first = std::make_unique<RequestMemory::Share>(memory);
  RequestMemory::Share second(memory);
  EXPECT_TRUE(first->Take(40).ok());
  EXPECT_TRUE(first->Take(20).ok());
  EXPECT_TRUE(second.Take(40).ok());
  EXPECT_EQ(memory.used(), 100u);
  first.reset();
  EXPECT_EQ(memory.used(), 40u);
  EXPECT_TRUE(second.Take(60).ok());
}

TEST(RequestMemory, IsGivenBackBeforeTheEndOnce) {
  RequestMemory memory(100);
  RequestMemory::Share other(memory);
  ASSERT_TRUE(other.Take(30).ok());
  {
    RequestMemory::Share share(memory);
    ASSERT_TRUE(share.Take(60).ok());
    share.GiveBack();
    EXPECT_EQ(memory.used(), 30u);
    share.GiveBack();
    EXPECT_TRUE(share.Take(70).ok());
  }
  EXPECT_EQ(memory.used(), 30u);
}

TEST(RequestMemory, WhatDoesNotFitTakesNothingAndMayTryAgain) {
  RequestMemory memory(100);
  RequestMemory::Share share(memory);
  ASSERT_TRUE(share.Take(60).ok());
  for (const size_t bytes : {size_t{41}, std::numeric_limits<size_t>::max()}) {
    const absl::Status status = share.Take(bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_FALSE(ToGrpc(status).error_details().empty());
    EXPECT_EQ(memory.used(), 60u);
  }
  EXPECT_TRUE(share.Take(40).ok());
}

}  // namespace
}  // namespace lazynet::handlers
