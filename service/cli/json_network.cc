#include <google/protobuf/util/time_util.h>

#include <ostream>

#include "service/cli/enum_text.h"
#include "service/cli/json_format.h"
#include "service/cli/json_report.h"

namespace lazynet::cli::json {
namespace {

Json Parameters(const v1::LayerDescription& layer) {
  Json array = Json::array();
  for (const v1::Parameter& parameter : layer.parameters()) {
    array.push_back({{"name", parameter.name()},
                     {"datatype", parameter.datatype()},
                     {"shape", Array(parameter.shape())},
                     {"state", EnumText(parameter.state())},
                     {"origin", parameter.origin() == v1::ORIGIN_UNSPECIFIED
                                    ? Json()
                                    : Json(EnumText(parameter.origin()))},
                     {"buffer", parameter.buffer()},
                     {"bytes", parameter.bytes()}});
  }
  return array;
}

Json Layers(const v1::DescribeNetworkResponse& response) {
  Json array = Json::array();
  for (const v1::LayerDescription& layer : response.layers()) {
    array.push_back({{"name", layer.name()},
                     {"type", layer.type()},
                     {"inputs", Array(layer.inputs())},
                     {"has_uninitialized_params", layer.has_uninitialized_params()},
                     {"parameters", Parameters(layer)}});
  }
  return array;
}

Json Binding(const v1::DescribeNetworkResponse& response) {
  if (!response.has_binding()) return nullptr;
  const v1::Binding& binding = response.binding();
  return {
      {"source", binding.source()},
      {"inputs", Tensors(binding.inputs())},
      {"seed", binding.seed()},
      {"draw_order", binding.draw_order()},
      {"time", binding.has_time() ? Json(google::protobuf::util::TimeUtil::ToString(binding.time()))
                                  : Json()}};
}

Json Plans(const v1::DescribeNetworkResponse& response) {
  Json array = Json::array();
  for (const v1::Plan& plan : response.plans()) {
    array.push_back({{"inputs", Tensors(plan.inputs())},
                     {"arena_bytes", plan.arena_bytes()},
                     {"scratch_bytes", plan.scratch_bytes()},
                     {"op_count", plan.op_count()}});
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
         {"binding", Binding(response)},
         {"plans", Plans(response)}},
        out);
}

}  // namespace lazynet::cli::json
