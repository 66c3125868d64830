#pragma once

#include "engine/core/status.h"
#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/cli/options.h"

namespace lazynet::cli {

// The request that `options` ask for. A definition in text form goes as it is, so that the server
// says what is wrong with it; JSON is parsed here. An error means that a file cannot be used, and
// names it.
absl::StatusOr<v1::RegisterNetworkRequest> MakeRegisterRequest(const Options& options);

}  // namespace lazynet::cli
