#include "service/cli/json_report.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <type_traits>

#include "service/cli/enum_text.h"

namespace lazynet::cli::json {
namespace {

using Json = nlohmann::ordered_json;

void Write(const Json& json, std::ostream& out) {
  out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

template <typename Values>
Json Array(const Values& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(value);
  return array;
}

// Any message with a name, a datatype and a shape.
template <typename Signatures>
Json Tensors(const Signatures& signatures) {
  Json array = Json::array();
  for (const auto& tensor : signatures) {
    array.push_back({{"name", tensor.name()},
                     {"datatype", tensor.datatype()},
                     {"shape", Array(tensor.shape())}});
  }
  return array;
}

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

// The double whose shortest text is the float's: 0.1f gives 0.1, not 0.10000000149011612.
double Shortest(float value) {
  const std::string text = fmt::format("{}", value);
  double same = value;
  std::from_chars(text.data(), text.data() + text.size(), same);
  return same;
}

Json Number(const Element& element) {
  return std::visit(
      [](auto value) -> Json {
        if constexpr (std::is_floating_point_v<decltype(value)>) {
          if (std::isnan(value)) return "NaN";
          if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
        }
        if constexpr (std::is_same_v<decltype(value), float>) return Shortest(value);
        return value;
      },
      element);
}

Json Data(const Tensor& tensor) {
  Json array = Json::array();
  for (int64_t i = 0; i < tensor.shape().num_elements(); ++i) {
    array.push_back(Number(ElementAt(tensor, i)));
  }
  return array;
}

}  // namespace

void Print(const inference::RepositoryIndexResponse& response, std::ostream& out) {
  Json models = Json::array();
  for (const auto& model : response.models()) {
    models.push_back({{"name", model.name()},
                      {"version", model.version()},
                      {"state", model.state()},
                      {"reason", model.reason()}});
  }
  Write({{"models", models}}, out);
}

void Print(const inference::ModelMetadataResponse& response, std::ostream& out) {
  // A protobuf map has no order of its own.
  Json properties = Json::object();
  for (const auto& [key, value] : std::map<std::string, std::string>(response.properties().begin(),
                                                                     response.properties().end())) {
    properties[key] = value;
  }
  Write({{"name", response.name()},
         {"versions", Array(response.versions())},
         {"platform", response.platform()},
         {"inputs", Tensors(response.inputs())},
         {"outputs", Tensors(response.outputs())},
         {"properties", properties}},
        out);
}

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

void Print(const Answer& answer, std::ostream& out) {
  Json outputs = Json::array();
  for (const Output& output : answer.outputs) {
    Json entry = {{"name", output.name},
                  {"datatype", std::string(Name(output.tensor.dtype()))},
                  {"shape", Array(output.tensor.shape().dims())}};
    if (output.file.empty()) {
      entry["data"] = Data(output.tensor);
    } else {
      entry["file"] = output.file;
    }
    outputs.push_back(std::move(entry));
  }
  Write({{"model_name", answer.model},
         {"model_version", answer.version},
         {"id", answer.id},
         {"outputs", std::move(outputs)}},
        out);
}

void PrintHealth(const std::string& service, const std::string& status, std::ostream& out) {
  Write({{"service", service}, {"status", status}}, out);
}

}  // namespace lazynet::cli::json
