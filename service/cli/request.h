#pragma once

#include "engine/core/status.h"
#include "proto/inference.pb.h"
#include "service/cli/options.h"

namespace lazynet::cli {

// The request that `options` ask for, its inputs in the order of `metadata` and all of them raw. An
// error means that the options do not fit the model's inputs, or that a file cannot be used.
absl::StatusOr<inference::ModelInferRequest> MakeRequest(
    const Options& options, const inference::ModelMetadataResponse& metadata);

}  // namespace lazynet::cli
