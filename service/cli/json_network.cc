#include <ostream>

#include "service/cli/enum_text.h"
#include "service/cli/json_format.h"
#include "service/cli/json_report.h"

namespace lazynet::cli::json {
namespace {

Json Layers(const v1::DescribeNetworkResponse& response) {
  Json array = Json::array();
  for (const v1::LayerDescription& layer : response.layers()) {
    array.push_back({{"name", layer.name()},
                     {"type", layer.type()},
                     {"inputs", Array(layer.inputs())},
                     {"has_uninitialized_params", layer.has_uninitialized_params()},
                     {"parameters", Parameters(layer.parameters())}});
  }
  return array;
}

Json Plans(const v1::DescribeNetworkResponse& response) {
  Json array = Json::array();
  for (const v1::Plan& plan : response.plans()) {
    array.push_back({{"inputs", Tensors(plan.inputs())},
                     {"arena_bytes", plan.arena_bytes()},
                     {"scratch_bytes", plan.scratch_bytes()},
                     {"op_count", plan.op_count()},
                     {"threads", plan.threads()},
                     {"compute", plan.compute()}});
  }
  return array;
}

}  // namespace

void Print(const v1::DescribeNetworkResponse& response, std::ostream& out) {
  Write({{"name", response.name()},
         {"version", response.version()},
         {"state", EnumText(response.state())},
         {"reason", response.reason()},
         {"repr_before", response.repr_before()},
         {"repr", response.repr()},
         {"layers", Layers(response)},
         {"has_uninitialized_params", response.has_uninitialized_params()},
         {"known_parameter_count", response.known_parameter_count()},
         {"unknown_parameters", Array(response.unknown_parameters())},
         {"parameter_bytes", response.parameter_bytes()},
         {"packed_weight_bytes", response.packed_weight_bytes()},
         {"binding", response.has_binding() ? Binding(response.binding()) : Json()},
         {"plans", Plans(response)},
         {"parameter_hash", response.parameter_hash()},
         {"binding_policy", response.binding_policy() == v1::BINDING_POLICY_UNSPECIFIED
                                ? Json()
                                : Json(EnumText(response.binding_policy()))},
         {"state_set_aside", response.state_set_aside()},
         {"inputs", Tensors(response.inputs())},
         {"outputs", Tensors(response.outputs())},
         {"compute", response.compute()}},
        out);
}

}  // namespace lazynet::cli::json
