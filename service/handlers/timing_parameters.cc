#include "service/handlers/timing_parameters.h"

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

constexpr const char* kTiming = "lazynet_timing";

int64_t Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

absl::StatusOr<bool> WantsTiming(const inference::ModelInferRequest& request) {
  const auto found = request.parameters().find(kTiming);
  if (found == request.parameters().end()) return false;
  if (!found->second.has_bool_param()) {
    return InvalidArgument("parameter \"{}\": wants a bool", kTiming);
  }
  return found->second.bool_param();
}

void AddTiming(const hosting::RequestTimes& times, inference::ModelInferResponse& response) {
  auto& parameters = *response.mutable_parameters();
  parameters["lazynet_cold"].set_bool_param(times.build.count() > 0);
  parameters["lazynet_queue_us"].set_int64_param(Microseconds(times.queue));
  parameters["lazynet_compute_us"].set_int64_param(Microseconds(times.compute_infer));
}

}  // namespace lazynet::handlers
