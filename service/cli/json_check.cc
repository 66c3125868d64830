#include <ostream>

#include "service/cli/json_format.h"
#include "service/cli/json_report.h"

namespace lazynet::cli::json {
namespace {

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json Dims(const Shape& shape) { return Array(shape.dims()); }

Json Ports(const std::vector<CheckedNetwork::Port>& ports) {
  Json array = Json::array();
  for (const CheckedNetwork::Port& port : ports) {
    array.push_back({{"name", port.name},
                     {"datatype", std::string(Name(port.dtype))},
                     {"shape", port.shape ? Dims(*port.shape) : Json()}});
  }
  return array;
}

Json Layer(const CheckedNetwork::Layer& layer) {
  Json parameters = Json::array();
  for (const CheckedNetwork::Parameter& parameter : layer.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"datatype", std::string(Name(parameter.dtype))},
                          {"shape", Dims(parameter.shape)},
                          {"buffer", parameter.buffer}});
  }
  Json outputs = Json::array();
  for (const Shape& shape : layer.outputs) outputs.push_back(Dims(shape));
  return {{"name", layer.name},
          {"type", layer.type},
          {"output_shapes", layer.outputs.empty() ? Json() : std::move(outputs)},
          {"parameters", std::move(parameters)},
          {"parameter_count", OrNull(layer.parameter_count)},
          {"parameter_bytes", OrNull(layer.parameter_bytes)},
          {"flops", OrNull(layer.flops)}};
}

}  // namespace

void Print(const CheckedNetwork& network, std::ostream& out) {
  Json layers = Json::array();
  for (const CheckedNetwork::Layer& layer : network.layers) layers.push_back(Layer(layer));
  const CheckedTotals totals = Totals(network);
  Write({{"layers", std::move(layers)},
         {"inputs", Ports(network.inputs)},
         {"outputs", Ports(network.outputs)},
         {"known_parameter_count", totals.parameter_count},
         {"parameter_bytes", totals.parameter_bytes},
         {"has_uninitialized_params", totals.unknown_layers > 0},
         {"flops", OrNull(totals.flops)}},
        out);
}

}  // namespace lazynet::cli::json
