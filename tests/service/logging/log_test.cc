#include "service/logging/log.h"

#include <gmock/gmock.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/service/support/captured_log.h"

namespace lazynet::logging {
namespace {

using testing::CapturedLog;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

TEST(Log, WritesText) {
  const CapturedLog log(Format::kText, spdlog::level::info);
  spdlog::info("it serves {}", "mnist");
  Log(spdlog::level::warn, "slow request", Fields().Add("total_us", int64_t{12}));
  EXPECT_THAT(log.Lines(), ElementsAre(MatchesRegex("....-..-..T..:..:...... info it serves mnist"),
                                       EndsWith(" warning slow request total_us=12")));
}

TEST(Log, WritesOneJsonObjectALine) {
  const CapturedLog log(Format::kJson, spdlog::level::info);
  spdlog::error("a \"quoted\"\nline %v \xff");
  Log(spdlog::level::warn, "slow request", Fields().Add("total_us", int64_t{12}));
  ASSERT_THAT(log.Lines(), SizeIs(2));
  const auto plain = nlohmann::json::parse(log.Lines()[0]);
  EXPECT_EQ(plain["level"], "error");
  EXPECT_EQ(plain["message"], "a \"quoted\"\nline %v \xef\xbf\xbd");
  EXPECT_THAT(plain["time"].get<std::string>(), MatchesRegex("....-..-..T..:..:......Z"));
  const auto line = nlohmann::json::parse(log.Lines()[1]);
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "slow request");
  EXPECT_EQ(line["total_us"], 12);
}

TEST(Log, BracesInTextAreText) {
  for (const Format format : {Format::kText, Format::kJson}) {
    const CapturedLog log(format, spdlog::level::info);
    Log(spdlog::level::info, "load {} refused", Fields().Add("error", "{0} {name}"));
    ASSERT_THAT(log.Lines(), SizeIs(1));
    EXPECT_THAT(log.Lines()[0], ::testing::HasSubstr("load {} refused"));
    EXPECT_THAT(log.Lines()[0], ::testing::HasSubstr("{0} {name}"));
  }
}

TEST(Log, FollowsTheLevelAsItChanges) {
  for (const Format format : {Format::kText, Format::kJson}) {
    const CapturedLog log(format, spdlog::level::info);
    Log(spdlog::level::debug, "one", Fields());
    EXPECT_FALSE(IsOn(spdlog::level::debug));
    spdlog::set_level(spdlog::level::debug);
    Log(spdlog::level::debug, "two", Fields());
    EXPECT_TRUE(IsOn(spdlog::level::debug));
    ASSERT_THAT(log.Lines(), SizeIs(1));
    EXPECT_THAT(log.Lines()[0], ::testing::HasSubstr("two"));
  }
}

TEST(Log, HasTheLinesOfGrpc) {
  const CapturedLog log(Format::kJson, spdlog::level::info);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // as gRPC's start does
  gpr_log_message(__FILE__, __LINE__, GPR_LOG_SEVERITY_ERROR, "no \"such\" thing");
  ASSERT_THAT(log.Lines(), SizeIs(1));
  EXPECT_EQ(nlohmann::json::parse(log.Lines()[0])["message"], "gRPC: no \"such\" thing");
}

}  // namespace
}  // namespace lazynet::logging
