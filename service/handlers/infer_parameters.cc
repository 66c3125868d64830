#include "service/handlers/infer_parameters.h"

#include <optional>

#include "engine/core/status.h"

namespace lazynet::handlers {
namespace {

using inference::InferParameter;

// Clients send either type.
absl::StatusOr<int64_t> ReadNumber(const inference::ModelInferRequest& request, const char* name) {
  const auto found = request.parameters().find(name);
  if (found == request.parameters().end()) return 0;
  const InferParameter& parameter = found->second;
  const bool is_signed = parameter.parameter_choice_case() == InferParameter::kInt64Param;
  const bool is_unsigned = parameter.parameter_choice_case() == InferParameter::kUint64Param;
  if (!is_signed && !is_unsigned) {
    return InvalidArgument("parameter \"{}\" wants int64_param or uint64_param", name);
  }
  const auto most =
      static_cast<uint64_t>(std::chrono::microseconds(std::chrono::hours(1 << 20)).count());
  if (is_signed && parameter.int64_param() < 0) {
    return InvalidArgument("parameter \"{}\" wants at least 0, got {}", name,
                           parameter.int64_param());
  }
  const uint64_t value =
      is_signed ? static_cast<uint64_t>(parameter.int64_param()) : parameter.uint64_param();
  if (value > most) {
    return InvalidArgument("parameter \"{}\" wants at most {}, got {}", name, most, value);
  }
  return static_cast<int64_t>(value);
}

}  // namespace

absl::StatusOr<InferParameters> ReadParameters(const inference::ModelInferRequest& request) {
  InferParameters parameters;
  if (request.parameters().empty()) return parameters;
  ASSIGN_OR_RETURN(parameters.priority, ReadNumber(request, "priority"));
  ASSIGN_OR_RETURN(const int64_t timeout, ReadNumber(request, "timeout"));
  parameters.timeout = std::chrono::microseconds(timeout);
  return parameters;
}

}  // namespace lazynet::handlers
