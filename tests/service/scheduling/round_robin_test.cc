#include "service/scheduling/round_robin.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lazynet::scheduling {
namespace {

TEST(RoundRobin, KeysHaveTurnsAndValuesKeepTheirOrder) {
  RoundRobin<char, std::string> queue;
  for (const char* value : {"a1", "a2", "a3", "b1", "c1", "b2"}) queue.Push(value[0], value);
  EXPECT_EQ(queue.size(), 6u);
  EXPECT_EQ(queue.size('a'), 3u);
  std::vector<std::string> popped;
  for (int i = 0; i < 3; ++i) popped.push_back(queue.Pop());
  queue.Push('c', "c2");  // its queue was empty: behind a and b
  while (!queue.empty()) popped.push_back(queue.Pop());
  EXPECT_EQ(popped, (std::vector<std::string>{"a1", "b1", "c1", "a2", "b2", "c2", "a3"}));
  EXPECT_EQ(queue.size('a'), 0u);
}

}  // namespace
}  // namespace lazynet::scheduling
