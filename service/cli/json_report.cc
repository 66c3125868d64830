#include "service/cli/json_report.h"

#include <map>
#include <ostream>

#include "service/cli/json_format.h"

namespace lazynet::cli::json {
namespace {

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
  Json json = {{"model_name", answer.model},
               {"model_version", answer.version},
               {"id", answer.id},
               {"outputs", std::move(outputs)}};
  if (answer.timing) {
    json["timing"] = {{"cold", answer.timing->cold},
                      {"queue_us", answer.timing->queue.count()},
                      {"compute_us", answer.timing->compute.count()}};
  }
  Write(json, out);
}

void PrintHealth(const std::string& service, const std::string& status, std::ostream& out) {
  Write({{"service", service}, {"status", status}}, out);
}

}  // namespace lazynet::cli::json
