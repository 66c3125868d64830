#pragma once

#include <grpcpp/support/status.h>

#include <chrono>

#include "absl/status/status.h"

namespace lazynet::handlers {

// The code as it is; the message cut to a length that fits a gRPC trailer; and, as details, when
// the call may be tried again if WithRetry said so.
grpc::Status ToGrpc(const absl::Status& status);

absl::Status WithRetry(absl::Status status, std::chrono::nanoseconds delay);

}  // namespace lazynet::handlers
