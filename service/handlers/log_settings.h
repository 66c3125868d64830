#pragma once

#include "absl/status/status.h"
#include "proto/inference.pb.h"

namespace lazynet::handlers {

// The log level in the protocol's terms: log_error, log_warning, log_info (bool), of which one that
// is off puts those below it off too, and log_verbose_level (uint32: 0, 1 = debug, 2 or more =
// trace), which needs log_info.
//
// Changes all that is named, or nothing. INVALID_ARGUMENT for a value of another kind,
// UNIMPLEMENTED for another setting.
absl::Status ChangeLogSettings(const inference::LogSettingsRequest& request);
void DescribeLogSettings(inference::LogSettingsResponse& response);

}  // namespace lazynet::handlers
