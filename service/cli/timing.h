#pragma once

#include <chrono>
#include <optional>

#include "proto/inference.pb.h"

namespace lazynet::cli {

// What a lazynet server tells of a request that asks for it.
struct Timing {
  bool cold = false;  // it waited for parameters or a plan to be made
  std::chrono::microseconds queue{0};
  std::chrono::microseconds compute{0};
};

void AskForTiming(inference::ModelInferRequest& request);

// Nothing when the server does not tell.
std::optional<Timing> ReadTiming(const inference::ModelInferResponse& response);

}  // namespace lazynet::cli
