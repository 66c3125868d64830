#include "service/handlers/reserved_parameters.h"

#include <string_view>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

// On a stream every answer is the last one of its request and says so: with this or without.
constexpr std::string_view kEmptyFinalResponse = "triton_enable_empty_final_response";

bool IsReserved(std::string_view name) {
  return name.starts_with("triton_") || name == "headers" || name == "binary_data_output";
}

}  // namespace

absl::Status CheckReservedParameters(const inference::ModelInferRequest& request) {
  for (const auto& [name, value] : request.parameters()) {
    if (name == kEmptyFinalResponse) {
      if (!value.has_bool_param())
        return InvalidArgument("parameter \"{}\" wants bool_param", name);
    } else if (IsReserved(name)) {
      return InvalidArgument("parameter \"{}\" is reserved by the protocol", name);
    }
  }
  return absl::OkStatus();
}

}  // namespace lazynet::handlers
