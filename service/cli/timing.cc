#include "service/cli/timing.h"

namespace lazynet::cli {

void AskForTiming(inference::ModelInferRequest& request) {
  (*request.mutable_parameters())["lazynet_timing"].set_bool_param(true);
}

std::optional<Timing> ReadTiming(const inference::ModelInferResponse& response) {
  const auto& parameters = response.parameters();
  const auto cold = parameters.find("lazynet_cold");
  const auto queue = parameters.find("lazynet_queue_us");
  const auto compute = parameters.find("lazynet_compute_us");
  if (cold == parameters.end() || queue == parameters.end() || compute == parameters.end()) {
    return std::nullopt;
  }
  return Timing{.cold = cold->second.bool_param(),
                .queue = std::chrono::microseconds(queue->second.int64_param()),
                .compute = std::chrono::microseconds(compute->second.int64_param())};
}

}  // namespace lazynet::cli
