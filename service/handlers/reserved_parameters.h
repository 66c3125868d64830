#pragma once

#include "absl/status/status.h"
#include "proto/inference.pb.h"

namespace lazynet::handlers {

// Parameters of a request that users may call as they like, but for the names that the protocol
// keeps for itself. INVALID_ARGUMENT names one of those, and one that is known and of another type.
absl::Status CheckReservedParameters(const inference::ModelInferRequest& request);

}  // namespace lazynet::handlers
