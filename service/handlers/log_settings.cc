#include "service/handlers/log_settings.h"

#include <spdlog/spdlog.h>

#include <array>
#include <string_view>
#include <utility>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

using spdlog::level::level_enum;

constexpr const char* kVerboseLevel = "log_verbose_level";

// From the most severe.
constexpr std::array<std::pair<std::string_view, level_enum>, 3> kSwitches = {
    {{"log_error", spdlog::level::err},
     {"log_warning", spdlog::level::warn},
     {"log_info", spdlog::level::info}}};

// What the settings say, one by one.
struct Settings {
  std::array<bool, kSwitches.size()> on{};
  uint32_t verbose = 0;

  static Settings Of(level_enum level) {
    Settings settings;
    for (size_t i = 0; i < kSwitches.size(); ++i) settings.on[i] = level <= kSwitches[i].second;
    settings.verbose = level == spdlog::level::trace ? 2 : level == spdlog::level::debug ? 1 : 0;
    return settings;
  }

  level_enum level() const {
    level_enum level = spdlog::level::off;
    for (size_t i = 0; i < kSwitches.size(); ++i) {
      if (!on[i]) return level;
      level = kSwitches[i].second;
    }
    if (verbose == 0) return level;
    return verbose == 1 ? spdlog::level::debug : spdlog::level::trace;
  }
};

absl::Status Change(std::string_view name, const inference::LogSettingsRequest::SettingValue& value,
                    Settings& settings) {
  if (name == kVerboseLevel) {
    if (!value.has_uint32_param()) return InvalidArgument("{}: wants a uint32", name);
    settings.verbose = value.uint32_param();
    return absl::OkStatus();
  }
  for (size_t i = 0; i < kSwitches.size(); ++i) {
    if (name != kSwitches[i].first) continue;
    if (!value.has_bool_param()) return InvalidArgument("{}: wants a bool", name);
    settings.on[i] = value.bool_param();
    return absl::OkStatus();
  }
  return absl::UnimplementedError(fmt::format("setting \"{}\" is not served", name));
}

}  // namespace

absl::Status ChangeLogSettings(const inference::LogSettingsRequest& request) {
  if (request.settings().empty()) return absl::OkStatus();
  Settings settings = Settings::Of(spdlog::get_level());
  for (const auto& [name, value] : request.settings()) {
    RETURN_IF_ERROR(Change(name, value, settings));
  }
  spdlog::set_level(settings.level());
  return absl::OkStatus();
}

void DescribeLogSettings(inference::LogSettingsResponse& response) {
  const Settings settings = Settings::Of(spdlog::get_level());
  auto& all = *response.mutable_settings();
  for (size_t i = 0; i < kSwitches.size(); ++i) {
    all[std::string(kSwitches[i].first)].set_bool_param(settings.on[i]);
  }
  all[kVerboseLevel].set_uint32_param(settings.verbose);
}

}  // namespace lazynet::handlers
