#pragma once

#include "absl/status/statusor.h"
#include "proto/inference.pb.h"
#include "service/hosting/inference_statistics.h"

namespace lazynet::handlers {

// Whether the request asks what the server spent on it: parameter lazynet_timing, a bool.
// INVALID_ARGUMENT for another kind of value.
absl::StatusOr<bool> WantsTiming(const inference::ModelInferRequest& request);

// The answer's parameters then: lazynet_cold (bool: it waited for parameters or a plan to be made),
// lazynet_queue_us and lazynet_compute_us (int64).
void AddTiming(const hosting::RequestTimes& times, inference::ModelInferResponse& response);

}  // namespace lazynet::handlers
