#include "service/hosting/serving_options.h"

#include <google/protobuf/text_format.h>

#include <algorithm>

#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/hosting/text_errors.h"

namespace lazynet::hosting {
namespace {

absl::StatusOr<size_t> FindInput(const nn::Network& network, const std::string& name) {
  for (size_t i = 0; i < network.inputs().size(); ++i) {
    if (network.inputs()[i].name == name) return i;
  }
  return InvalidArgument("the network has no input \"{}\"", name);
}

absl::Status CheckRange(const std::string& name, const v1::DimRange& range) {
  const int64_t max = range.max() == 0 ? kMaxDim : range.max();
  if (range.min() >= 0 && max <= kMaxDim && range.min() <= max) return absl::OkStatus();
  return InvalidArgument("input_limits of \"{}\": wants ranges within 0 to {}, got {} to {}", name,
                         kMaxDim, range.min(), range.max());
}

absl::Status ReadLimits(const v1::ServingConfig& config, const nn::Network& network,
                        ServingOptions& options) {
  if (config.input_limits().empty()) return absl::OkStatus();
  options.limits.resize(network.inputs().size());
  for (const v1::InputLimits& limits : config.input_limits()) {
    ASSIGN_OR_RETURN(const size_t index, FindInput(network, limits.name()));
    InputLimits& own = options.limits[index];
    for (const v1::DimRange& range : limits.dims()) {
      RETURN_IF_ERROR(CheckRange(limits.name(), range));
      own.dims.push_back({range.min(), range.max() == 0 ? kMaxDim : range.max()});
    }
    if (limits.max_elements() < 0) {
      return InvalidArgument("input_limits of \"{}\": max_elements wants at least 0, got {}",
                             limits.name(), limits.max_elements());
    }
    if (limits.max_elements() > 0) own.max_elements = limits.max_elements();
  }
  return absl::OkStatus();
}

// One for each input of the network, in its order; `what` asks for them.
absl::StatusOr<std::vector<Shape>> ReadShapes(
    const google::protobuf::RepeatedPtrField<v1::BoundInput>& inputs, const nn::Network& network,
    std::string_view what) {
  std::vector<std::optional<Shape>> given(network.inputs().size());
  for (const v1::BoundInput& input : inputs) {
    ASSIGN_OR_RETURN(const size_t index, FindInput(network, input.name()));
    if (given[index]) return InvalidArgument("{}: \"{}\" is there twice", what, input.name());
    const std::vector<int64_t> dims(input.shape().begin(), input.shape().end());
    if (absl::Status status = CheckBounds(dims); !status.ok()) {
      return Annotate(fmt::format("{} of \"{}\"", what, input.name()), status);
    }
    given[index] = Shape(std::span<const int64_t>(dims));
  }
  std::vector<Shape> shapes;
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) {
      return InvalidArgument("{} wants a shape for \"{}\", got none", what,
                             network.inputs()[i].name);
    }
    shapes.push_back(*std::move(given[i]));
  }
  return shapes;
}

absl::Status ReadBindShapes(const v1::ServingConfig& config, const nn::Network& network,
                            ServingOptions& options) {
  const bool at_load = options.policy == BindingPolicy::kAtLoad;
  if (!at_load && config.bind_inputs().empty()) return absl::OkStatus();
  if (!at_load) return InvalidArgument("bind_inputs wants binding_policy AT_LOAD");
  ASSIGN_OR_RETURN(options.bind_shapes,
                   ReadShapes(config.bind_inputs(), network, "bind_inputs of AT_LOAD"));
  return absl::OkStatus();
}

absl::Status ReadWarmUp(const v1::ServingConfig& config, const nn::Network& network,
                        ServingOptions& options) {
  for (const v1::WarmUp& warm_up : config.warm_up()) {
    ASSIGN_OR_RETURN(auto shapes, ReadShapes(warm_up.inputs(), network, "warm_up"));
    RETURN_IF_ERROR(options.CheckLimits(network, shapes));
    options.warm_up.push_back(std::move(shapes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ServingOptions::CheckLimits(const nn::Network& network,
                                         std::span<const Shape> shapes) const {
  for (size_t i = 0; i < limits.size(); ++i) {
    const std::string& name = network.inputs()[i].name;
    const Shape& shape = shapes[i];
    const auto& ranges = limits[i].dims;
    if (!ranges.empty() && static_cast<int>(ranges.size()) != shape.rank()) {
      return InvalidArgument("input \"{}\": wants a rank of {} (input_limits), got shape {}", name,
                             ranges.size(), shape.ToString());
    }
    for (size_t axis = 0; axis < ranges.size(); ++axis) {
      const int64_t dim = shape.dim(static_cast<int>(axis));
      if (dim < ranges[axis].min || dim > ranges[axis].max) {
        return InvalidArgument("input \"{}\": wants dim {} from {} to {} (input_limits), got {}",
                               name, axis, ranges[axis].min, ranges[axis].max, dim);
      }
    }
    if (shape.num_elements() > limits[i].max_elements) {
      return ResourceExhausted("input \"{}\": wants at most {} elements (input_limits), got {}",
                               name, limits[i].max_elements, shape.num_elements());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ServingConfig> ParseServingText(std::string_view text) {
  TextErrors errors;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  v1::ServingConfig config;
  if (!parser.ParseFromString(std::string(text), &config)) return errors.ToStatus();
  return config;
}

absl::StatusOr<ServingOptions> ConvertServing(const v1::ServingConfig& config,
                                              const nn::Network& network,
                                              const QueueOptions& queue) {
  ServingOptions options;
  ASSIGN_OR_RETURN(options.queue, ConvertQueue(config, queue));
  switch (config.binding_policy()) {
    case v1::BINDING_POLICY_UNSPECIFIED:
    case v1::ON_FIRST_REQUEST:
      break;
    case v1::AT_LOAD:
      options.policy = BindingPolicy::kAtLoad;
      break;
    case v1::BY_ADMIN:
      options.policy = BindingPolicy::kByAdmin;
      break;
    default:
      return InvalidArgument("binding_policy wants ON_FIRST_REQUEST, AT_LOAD or BY_ADMIN, got {}",
                             static_cast<int>(config.binding_policy()));
  }
  RETURN_IF_ERROR(ReadBindShapes(config, network, options));
  RETURN_IF_ERROR(ReadLimits(config, network, options));
  ASSIGN_OR_RETURN(options.versions, ConvertVersionPolicy(config.version_policy()));
  RETURN_IF_ERROR(ReadWarmUp(config, network, options));
  if (config.max_parameter_bytes() > 0) options.max_parameter_bytes = config.max_parameter_bytes();
  options.pinned = config.pinned();
  return options;
}

}  // namespace lazynet::hosting
