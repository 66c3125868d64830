#include "service/handlers/trace_context.h"

#include <gtest/gtest.h>

namespace lazynet::handlers {
namespace {

constexpr const char* kId = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";
const std::string kPlain = std::string("00-") + kId + "-" + kSpan + "-01";

TEST(Traceparent, IsRead) {
  for (const std::string& text :
       {kPlain, kPlain.substr(0, 53) + "00", kPlain.substr(0, 53) + "ff", "cc" + kPlain.substr(2),
        "cc" + kPlain.substr(2) + "-more-of-it"}) {
    const auto trace = ParseTraceparent(text);
    ASSERT_TRUE(trace) << text;
    EXPECT_EQ(trace->trace_id, kId);
    EXPECT_EQ(trace->span_id, kSpan);
  }
}

TEST(Traceparent, IsIgnoredWhenItIsNone) {
  const std::string zero_id(32, '0'), zero_span(16, '0');
  for (const std::string& text :
       {std::string(), std::string("00"), kPlain.substr(0, 54), kPlain + "-", kPlain + "-01",
        "ff" + kPlain.substr(2), "cc" + kPlain.substr(2) + "x", "0g" + kPlain.substr(2),
        " " + kPlain, std::string("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
        "00-" + zero_id + "-" + kSpan + "-01", std::string("00-") + kId + "-" + zero_span + "-01",
        std::string("00_") + kId + "-" + kSpan + "-01",
        std::string("00-") + kId + "_" + kSpan + "-01",
        std::string("00-") + kId + "-" + kSpan + "_01",
        std::string("00-") + kId + "-" + kSpan + "-0x"}) {
    EXPECT_FALSE(ParseTraceparent(text)) << text;
  }
}

}  // namespace
}  // namespace lazynet::handlers
