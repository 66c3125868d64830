#include "service/handlers/log_settings.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <string>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

class LogSettings : public ::testing::Test {
 protected:
  ~LogSettings() override { spdlog::set_level(before_); }

  void Set(const std::string& name, bool on) {
    (*request_.mutable_settings())[name].set_bool_param(on);
  }
  void SetVerbose(uint32_t level) {
    (*request_.mutable_settings())["log_verbose_level"].set_uint32_param(level);
  }
  absl::Status Change() {
    const absl::Status status = ChangeLogSettings(request_);
    request_.Clear();
    return status;
  }

  const spdlog::level::level_enum before_ = spdlog::get_level();
  inference::LogSettingsRequest request_;
};

TEST_F(LogSettings, AreLevels) {
  spdlog::set_level(spdlog::level::info);
  SetVerbose(1);
  ASSERT_TRUE(Change().ok());
  EXPECT_EQ(spdlog::get_level(), spdlog::level::debug);
  SetVerbose(2);
  ASSERT_TRUE(Change().ok());
  EXPECT_EQ(spdlog::get_level(), spdlog::level::trace);
  SetVerbose(0);
  Set("log_info", false);
  ASSERT_TRUE(Change().ok());
  EXPECT_EQ(spdlog::get_level(), spdlog::level::warn);
  Set("log_error", false);
  ASSERT_TRUE(Change().ok());
  EXPECT_EQ(spdlog::get_level(), spdlog::level::off);
}

TEST_F(LogSettings, ReadAsTheyAreSet) {
  for (const auto level : {spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                           spdlog::level::warn, spdlog::level::err, spdlog::level::off}) {
    spdlog::set_level(level);
    inference::LogSettingsResponse response;
    DescribeLogSettings(response);
    spdlog::set_level(spdlog::level::critical);
    for (const auto& [name, value] : response.settings()) {
      auto& setting = (*request_.mutable_settings())[name];
      if (value.has_bool_param()) setting.set_bool_param(value.bool_param());
      if (value.has_uint32_param()) setting.set_uint32_param(value.uint32_param());
    }
    EXPECT_EQ(request_.settings_size(), 4);
    ASSERT_TRUE(Change().ok());
    EXPECT_EQ(spdlog::get_level(), level);
  }
}

TEST_F(LogSettings, ChangeAllOrNothing) {
  spdlog::set_level(spdlog::level::info);
  SetVerbose(1);
  Set("log_file", true);
  const absl::Status status = Change();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(), "setting \"log_file\" is not served");
  SetVerbose(1);
  (*request_.mutable_settings())["log_info"].set_string_param("yes");
  EXPECT_EQ(Change().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(spdlog::get_level(), spdlog::level::info);
}

}  // namespace
}  // namespace lazynet::handlers
