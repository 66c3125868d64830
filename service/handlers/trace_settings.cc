#include "service/handlers/trace_settings.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

// As Triton writes them where tracing is off.
constexpr std::pair<std::string_view, std::string_view> kSettings[] = {
    {"log_frequency", "0"}, {"trace_count", "0"}, {"trace_file", ""},
    {"trace_level", "OFF"}, {"trace_mode", ""},   {"trace_rate", "0"},
};

}  // namespace

absl::Status CheckTraceSettings(const inference::TraceSettingRequest& request) {
  for (const auto& [name, wanted] : request.settings()) {
    const auto* const found =
        std::find_if(std::begin(kSettings), std::end(kSettings),
                     [&](const auto& setting) { return setting.first == name; });
    if (found == std::end(kSettings)) {
      return InvalidArgument("there is no trace setting \"{}\"", name);
    }
    // No value: back to the default.
    for (const std::string& value : wanted.value()) {
      if (value == found->second) continue;
      return Unimplemented("trace setting \"{}\": wants \"{}\", got \"{}\": no traces are written",
                           name, found->second, value);
    }
  }
  return absl::OkStatus();
}

void DescribeTraceSettings(inference::TraceSettingResponse& response) {
  for (const auto& [name, value] : kSettings) {
    (*response.mutable_settings())[std::string(name)].add_value(std::string(value));
  }
}

}  // namespace lazynet::handlers
