#include "service/handlers/trace_settings.h"

#include <gtest/gtest.h>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

absl::Status Set(const std::string& name, const std::vector<std::string>& values) {
  inference::TraceSettingRequest request;
  auto& setting = (*request.mutable_settings())[name];
  for (const std::string& value : values) setting.add_value(value);
  return CheckTraceSettings(request);
}

TEST(TraceSettings, AreThoseOfATraceThatIsOff) {
  inference::TraceSettingResponse response;
  DescribeTraceSettings(response);
  ASSERT_TRUE(response.settings().contains("trace_level"));
  EXPECT_EQ(response.settings().at("trace_level").value(0), "OFF");
  for (const auto& [name, setting] : response.settings()) {
    EXPECT_TRUE(Set(name, {setting.value(0)}).ok()) << name;
    EXPECT_TRUE(Set(name, {}).ok()) << name;
  }
  EXPECT_TRUE(CheckTraceSettings({}).ok());
}

TEST(TraceSettings, RefuseToTrace) {
  const absl::Status status = Set("trace_level", {"OFF", "TIMESTAMPS"});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Message(status),
            "trace setting \"trace_level\": wants \"OFF\", got \"TIMESTAMPS\": no "
            "traces are written");
  EXPECT_EQ(Set("trace_file", {"/tmp/x"}).code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Set("no_such", {"1"}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lazynet::handlers
