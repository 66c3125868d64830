#pragma once

#include "absl/status/status.h"
#include "proto/inference.pb.h"

namespace lazynet::handlers {

// The server writes no trace files: its settings are those of a trace that is off, and may be read,
// or set to what they are. INVALID_ARGUMENT for a setting that the protocol does not have,
// UNIMPLEMENTED for values that would trace something; nothing is changed in any case.
absl::Status CheckTraceSettings(const inference::TraceSettingRequest& request);

void DescribeTraceSettings(inference::TraceSettingResponse& response);

}  // namespace lazynet::handlers
