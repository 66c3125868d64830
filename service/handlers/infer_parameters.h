#pragma once

#include <chrono>
#include <cstdint>

#include "absl/status/statusor.h"
#include "proto/inference.pb.h"

namespace lazynet::handlers {

// The protocol's parameters of a whole request that say how it is served.
struct InferParameters {
  int64_t priority = 0;                  // from 1, the highest; 0 is the network's default
  std::chrono::microseconds timeout{0};  // of its wait; 0 is none
};

// INVALID_ARGUMENT for a parameter of another type, or out of range. Unknown ones are left alone.
absl::StatusOr<InferParameters> ReadParameters(const inference::ModelInferRequest& request);

}  // namespace lazynet::handlers
