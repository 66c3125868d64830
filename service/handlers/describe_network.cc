#include "service/handlers/describe_network.h"

#include <google/protobuf/util/time_util.h>

#include <memory>

#include "service/hosting/signature.h"

namespace lazynet::handlers {
namespace {

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

v1::BindingPolicy Convert(hosting::BindingPolicy policy) {
  switch (policy) {
    case hosting::BindingPolicy::kOnFirstRequest:
      return v1::ON_FIRST_REQUEST;
    case hosting::BindingPolicy::kAtLoad:
      return v1::AT_LOAD;
    case hosting::BindingPolicy::kByAdmin:
      return v1::BY_ADMIN;
  }
  return v1::BINDING_POLICY_UNSPECIFIED;
}

std::string NameOf(const nn::Network& network, nn::ValueRef ref) {
  const auto at = static_cast<size_t>(ref.index);
  if (ref.kind == nn::ValueRef::Kind::kInput) return network.inputs()[at].name;
  const nn::Node& node = network.nodes()[at];
  if (ref.output == 0) return node.name;
  return node.name + ":" + node.layer->output_names()[static_cast<size_t>(ref.output)];
}

void DescribeLayers(const nn::Network& network, const nn::ParameterSet& set,
                    v1::DescribeNetworkResponse& response) {
  const std::vector<bool> lazy = set.lazy(network);
  for (size_t at = 0; at < network.nodes().size(); ++at) {
    const nn::Node& node = network.nodes()[at];
    v1::LayerDescription& layer = *response.add_layers();
    layer.set_name(node.name);
    layer.set_type((lazy[at] ? "Lazy" : "") + node.type);
    layer.set_has_uninitialized_params(lazy[at]);
    if (lazy[at]) response.set_has_uninitialized_params(true);
    if (node.again) layer.set_same_as(network.nodes()[static_cast<size_t>(node.module)].name);
    for (const nn::ValueRef ref : node.inputs) layer.add_inputs(NameOf(network, ref));
    for (size_t i = 0; i < node.parameters().size(); ++i) {
      DescribeParameter(network, set, set.sizes()[at], static_cast<int>(at), static_cast<int>(i),
                        *layer.add_parameters());
      const Shape shape = node.parameters()[i].ShapeFor(set.sizes()[at]);
      if (!shape.has_unknown_dim() && !node.parameters()[i].buffer) {
        response.set_known_parameter_count(response.known_parameter_count() +
                                           static_cast<uint64_t>(shape.num_elements()));
      }
    }
  }
}

void DescribePorts(const hosting::HostedNetwork& hosted, v1::DescribeNetworkResponse& response) {
  const nn::Network& network = hosted.network();
  const hosting::Signature signature = hosting::Describe(hosted);
  for (size_t i = 0; i < network.inputs().size(); ++i) {
    DescribePort(network.inputs()[i].name, network.inputs()[i].dtype, signature.inputs[i],
                 *response.add_inputs());
  }
  for (size_t i = 0; i < network.outputs().size(); ++i) {
    DescribePort(network.outputs()[i].name, network.outputs()[i].dtype, signature.outputs[i],
                 *response.add_outputs());
  }
}

void DescribePlans(const nn::Network& network, const hosting::BoundNetwork& bound,
                   v1::DescribeNetworkResponse& response) {
  response.set_packed_weight_bytes(bound.shared.packed.bytes());
  for (const auto& plan : bound.plans.plans()) {
    DescribePlan(network, *plan, *response.add_plans());
  }
}

}  // namespace

v1::NetworkState Convert(hosting::NetworkState state) {
  switch (state) {
    case hosting::NetworkState::kLazy:
      return v1::NETWORK_STATE_LAZY;
    case hosting::NetworkState::kMaterializing:
      return v1::NETWORK_STATE_MATERIALIZING;
    case hosting::NetworkState::kReady:
      return v1::NETWORK_STATE_READY;
    case hosting::NetworkState::kEvicted:
      return v1::NETWORK_STATE_EVICTED;
    case hosting::NetworkState::kUnavailable:
      return v1::NETWORK_STATE_UNAVAILABLE;
  }
  return v1::NETWORK_STATE_UNSPECIFIED;
}

void DescribePort(const std::string& name, DType dtype, const Shape& shape, v1::BoundInput& port) {
  port.set_name(name);
  port.set_datatype(std::string(Name(dtype)));
  for (const int64_t dim : shape.dims()) port.add_shape(dim);
}

void DescribePlan(const nn::Network& network, const plan::Plan& plan, v1::Plan& described) {
  for (size_t i = 0; i < plan.inputs().size(); ++i) {
    DescribePort(network.inputs()[i].name, network.inputs()[i].dtype, plan.inputs()[i].shape,
                 *described.add_inputs());
  }
  described.set_arena_bytes(plan.arena_bytes());
  described.set_scratch_bytes(plan.scratch_bytes());
  described.set_op_count(plan.step_count());
  described.set_compute(std::string(Name(plan.compute_dtype())));
  described.set_threads(plan.threads());
}

void DescribeParameter(const nn::Network& network, const nn::ParameterSet& set,
                       const nn::Sizes& sizes, int node, int index,
                       v1::ParameterDescription& described) {
  const nn::Node& owner = network.nodes()[static_cast<size_t>(node)];
  const nn::ParameterSpec& spec = owner.parameters()[static_cast<size_t>(index)];
  described.set_name(owner.ParameterName(index));
  described.set_datatype(std::string(Name(owner.ParameterDType(index))));
  described.set_buffer(spec.buffer);
  const Shape shape = spec.ShapeFor(sizes);
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

void DescribeBinding(const nn::Network& network, const hosting::Binding& binding,
                     v1::Binding& described) {
  described.set_source(std::string(hosting::Name(binding.source)));
  for (size_t i = 0; i < binding.input_shapes.size(); ++i) {
    DescribePort(network.inputs()[i].name, network.inputs()[i].dtype, binding.input_shapes[i],
                 *described.add_inputs());
  }
  described.set_seed(network.seed());
  described.set_draw_order(network.draw_order() == nn::DrawOrder::kTorch ? "TORCH" : "PER_LAYER");
  *described.mutable_time() = google::protobuf::util::TimeUtil::TimeTToTimestamp(
      std::chrono::system_clock::to_time_t(binding.time));
  described.set_adopted(binding.adopted);
}

std::vector<std::string> UnknownParameters(const nn::Network& network,
                                           const nn::ParameterSet& set) {
  std::vector<std::string> unknown;
  for (size_t at = 0; at < network.nodes().size(); ++at) {
    const nn::Node& node = network.nodes()[at];
    for (size_t i = 0; i < node.parameters().size(); ++i) {
      if (node.parameters()[i].ShapeFor(set.sizes()[at]).has_unknown_dim()) {
        unknown.push_back(node.ParameterName(static_cast<int>(i)));
      }
    }
  }
  return unknown;
}

void DescribeHosted(hosting::HostedNetwork& hosted, v1::DescribeNetworkResponse& response) {
  const nn::Network& network = hosted.network();
  const hosting::Standing now = hosted.Look();
  const auto& set = now.parameters;
  response.set_name(network.name());
  response.set_version(std::to_string(hosted.version()));
  response.set_state(now.bound != nullptr     ? v1::NETWORK_STATE_READY
                     : now.evicted != nullptr ? v1::NETWORK_STATE_EVICTED
                                              : Convert(hosted.state()));
  response.set_repr_before(network.Repr(network.DeclaredSizes()));
  response.set_repr(network.Repr(set->sizes(), set->lazy(network)));
  response.set_parameter_bytes(set->bytes());
  response.set_binding_policy(Convert(hosted.serving().policy));
  response.set_state_set_aside(hosted.set_aside());
  response.set_compute(std::string(Name(network.compute_dtype())));
  DescribeLayers(network, *set, response);
  for (std::string& key : UnknownParameters(network, *set)) {
    response.add_unknown_parameters(std::move(key));
  }
  DescribePorts(hosted, response);
  if (now.binding() != nullptr) {
    // Without it where there is no memory to make the parameters again.
    if (auto hash = hosted.ParameterHash(); hash.ok()) {
      response.set_parameter_hash(*std::move(hash));
    }
    DescribeBinding(network, *now.binding(), *response.mutable_binding());
  }
  if (now.bound != nullptr) DescribePlans(network, *now.bound, response);
}

}  // namespace lazynet::handlers
