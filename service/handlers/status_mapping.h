#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace lazynet::handlers {

// The code as it is; the message cut to a length that fits a gRPC trailer.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace lazynet::handlers
