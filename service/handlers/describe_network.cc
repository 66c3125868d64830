#include "service/handlers/lazy_network_service.h"

#include <google/protobuf/util/time_util.h>

#include <memory>
#include <string>

#include "engine/core/status.h"
#include "service/handlers/status_mapping.h"

namespace lazynet::handlers {
namespace {

v1::NetworkState Convert(hosting::HostedNetwork::State state) {
  switch (state) {
    case hosting::HostedNetwork::State::kLazy:
      return v1::NETWORK_STATE_LAZY;
    case hosting::HostedNetwork::State::kMaterializing:
      return v1::NETWORK_STATE_MATERIALIZING;
    case hosting::HostedNetwork::State::kReady:
      return v1::NETWORK_STATE_READY;
  }
  return v1::NETWORK_STATE_UNSPECIFIED;
}

v1::ParameterOrigin Convert(nn::Origin origin) {
  switch (origin) {
    case nn::Origin::kInitializer:
      return v1::ORIGIN_INITIALIZER;
    case nn::Origin::kCheckpoint:
      return v1::ORIGIN_CHECKPOINT;
    case nn::Origin::kClient:
      return v1::ORIGIN_CLIENT;
  }
  return v1::ORIGIN_UNSPECIFIED;
}

void DescribeInput(const nn::NetworkInput& input, const Shape& shape, v1::BoundInput& described) {
  described.set_name(input.name);
  described.set_datatype(std::string(Name(input.dtype)));
  for (const int64_t dim : shape.dims()) described.add_shape(dim);
}

void DescribeParameter(const nn::Network& network, const nn::ParameterSet& set, int node, int index,
                       v1::Parameter& described) {
  const auto at = static_cast<size_t>(node);
  const nn::Node& owner = network.nodes()[at];
  const nn::ParameterSpec& spec = owner.layer->parameters()[static_cast<size_t>(index)];
  const Shape shape = spec.ShapeFor(set.sizes()[at]);
  described.set_name(owner.ParameterName(index));
  described.set_datatype(std::string(Name(owner.ParameterDType(index))));
  described.set_buffer(spec.buffer);
  for (const int64_t dim : shape.dims()) described.add_shape(dim);
  const bool initialized = set.initialized(network, node, index);
  described.set_state(initialized ? v1::PARAMETER_STATE_INITIALIZED
                                  : v1::PARAMETER_STATE_UNINITIALIZED);
  const auto& value = set.value(node, index);
  if (value) described.set_bytes(value->tensor.bytes());
  if (initialized) {
    described.set_origin(Convert(value ? value->origin : nn::Origin::kInitializer));
  }
}

void DescribeLayers(const nn::Network& network, const nn::ParameterSet& set,
                    v1::DescribeNetworkResponse& response) {
  const std::vector<bool> lazy = set.lazy(network);
  for (size_t at = 0; at < network.nodes().size(); ++at) {
    const nn::Node& node = network.nodes()[at];
    const int index = static_cast<int>(at);
    v1::LayerDescription& layer = *response.add_layers();
    layer.set_name(node.name);
    layer.set_type((lazy[at] ? "Lazy" : "") + node.type);
    for (const nn::ValueRef ref : node.inputs) {
      const auto source = static_cast<size_t>(ref.index);
      layer.add_inputs(ref.kind == nn::ValueRef::Kind::kInput ? network.inputs()[source].name
                                                              : network.nodes()[source].name);
    }
    for (size_t i = 0; i < node.parameters().size(); ++i) {
      v1::Parameter& parameter = *layer.add_parameters();
      DescribeParameter(network, set, index, static_cast<int>(i), parameter);
      if (parameter.state() == v1::PARAMETER_STATE_UNINITIALIZED) {
        layer.set_has_uninitialized_params(true);
        response.set_has_uninitialized_params(true);
      }
      const Shape shape = node.parameters()[i].ShapeFor(set.sizes()[at]);
      if (shape.has_unknown_dim()) {
        response.add_unknown_parameters(parameter.name());
      } else if (!parameter.buffer()) {
        response.set_known_parameter_count(response.known_parameter_count() +
                                           static_cast<uint64_t>(shape.num_elements()));
      }
    }
  }
}

void DescribeBound(const nn::Network& network, const hosting::BoundNetwork& bound,
                   v1::DescribeNetworkResponse& response) {
  response.set_packed_weight_bytes(bound.packed.bytes());
  v1::Binding& binding = *response.mutable_binding();
  binding.set_source(std::string(hosting::Name(bound.binding.source)));
  for (size_t i = 0; i < bound.binding.input_shapes.size(); ++i) {
    DescribeInput(network.inputs()[i], bound.binding.input_shapes[i], *binding.add_inputs());
  }
  binding.set_seed(network.seed());
  binding.set_draw_order(network.draw_order() == nn::DrawOrder::kTorch ? "TORCH" : "PER_LAYER");
  *binding.mutable_time() = google::protobuf::util::TimeUtil::TimeTToTimestamp(
      std::chrono::system_clock::to_time_t(bound.binding.time));
  for (const auto& plan : bound.plans.plans()) {
    v1::Plan& described = *response.add_plans();
    for (size_t i = 0; i < plan->inputs().size(); ++i) {
      DescribeInput(network.inputs()[i], plan->inputs()[i].shape, *described.add_inputs());
    }
    described.set_arena_bytes(plan->arena_bytes());
    described.set_scratch_bytes(plan->scratch_bytes());
    described.set_op_count(plan->step_count());
  }
}

}  // namespace

grpc::Status LazyNetworkService::DescribeNetwork(grpc::ServerContext*,
                                                 const v1::DescribeNetworkRequest* request,
                                                 v1::DescribeNetworkResponse* response) {
  const auto found = repository_.Find(request->name(), request->version());
  if (found.status().code() == absl::StatusCode::kUnavailable) {
    response->set_name(request->name());
    response->set_version(request->version());
    response->set_state(v1::NETWORK_STATE_UNAVAILABLE);
    response->set_reason(std::string(Message(found.status())));
    return grpc::Status::OK;
  }
  if (!found.ok()) return ToGrpc(found.status());
  const hosting::HostedNetwork& hosted = **found;
  const nn::Network& network = hosted.network();
  // Everything below comes from one look at the parameters, so that it describes one moment.
  const std::shared_ptr<hosting::BoundNetwork> bound = hosted.bound();
  const nn::ParameterSet& set = bound != nullptr ? bound->parameters : hosted.declared();
  response->set_name(network.name());
  response->set_version(std::to_string(hosted.version()));
  response->set_state(bound != nullptr ? v1::NETWORK_STATE_READY : Convert(hosted.state()));
  response->set_repr_before(network.Repr(network.DeclaredSizes()));
  response->set_repr(network.Repr(set.sizes(), set.lazy(network)));
  response->set_parameter_bytes(set.bytes());
  DescribeLayers(network, set, *response);
  if (bound != nullptr) DescribeBound(network, *bound, *response);
  return grpc::Status::OK;
}

}  // namespace lazynet::handlers
