#include "service/cli/network_check.h"

#include <map>
#include <memory>

#include "engine/core/tensor.h"
#include "engine/nn/network.h"
#include "engine/plan/flops.h"
#include "engine/plan/lowering.h"
#include "service/cli/match_inputs.h"
#include "service/hosting/definition.h"

namespace lazynet::cli {
namespace {

// `input FP32 [?, 784]`, ... in the network's order.
std::string Signature(const nn::Network& network) {
  std::string text;
  for (const nn::NetworkInput& input : network.inputs()) {
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", input.name, Name(input.dtype),
                        input.constraint ? input.constraint->ToString() : "of any shape");
  }
  return text;
}

absl::StatusOr<nn::Inference> InferFrom(const nn::Network& network,
                                        const std::vector<NamedShape>& shapes) {
  std::vector<std::string> names;
  for (const nn::NetworkInput& input : network.inputs()) names.push_back(input.name);
  ASSIGN_OR_RETURN(
      const auto matched,
      MatchInputs(shapes, names, {"the network", "--shape wants NAME=SHAPE", Signature(network)}));
  std::vector<Shape> inputs;
  for (const NamedShape* shape : matched) inputs.push_back(shape->shape);
  return network.Infer(inputs, network.DeclaredSizes());
}

std::vector<CheckedNetwork::Parameter> ParametersOf(const nn::Node& node, const nn::Sizes& sizes) {
  std::vector<CheckedNetwork::Parameter> parameters;
  for (const nn::ParameterSpec& spec : node.parameters()) {
    const int index = static_cast<int>(parameters.size());
    parameters.push_back(
        {node.ParameterName(index), node.ParameterDType(index), spec.ShapeFor(sizes), spec.buffer});
  }
  return parameters;
}

void Count(CheckedNetwork::Layer& layer) {
  uint64_t count = 0;
  uint64_t bytes = 0;
  for (const CheckedNetwork::Parameter& parameter : layer.parameters) {
    if (parameter.shape.has_unknown_dim()) return;
    if (!parameter.buffer) count += static_cast<uint64_t>(parameter.shape.num_elements());
    bytes += ByteSize(parameter.dtype, parameter.shape);
  }
  layer.parameter_count = count;
  layer.parameter_bytes = bytes;
}

}  // namespace

CheckedTotals Totals(const CheckedNetwork& network) {
  CheckedTotals totals{.flops = 0};
  for (const CheckedNetwork::Layer& layer : network.layers) {
    totals.parameter_count += layer.parameter_count.value_or(0);
    totals.parameter_bytes += layer.parameter_bytes.value_or(0);
    if (!layer.parameter_count) ++totals.unknown_layers;
    totals.flops =
        layer.flops && totals.flops ? std::optional(*totals.flops + *layer.flops) : std::nullopt;
  }
  return totals;
}

absl::StatusOr<CheckedNetwork> CheckNetwork(std::string_view text, bool json,
                                            const std::vector<NamedShape>& shapes) {
  ASSIGN_OR_RETURN(nn::NetworkDefinition definition,
                   json ? hosting::ParseDefinitionJson(text, "network")
                        : hosting::ParseDefinitionText(text, "network"));
  ASSIGN_OR_RETURN(const auto network, nn::Network::Create(std::move(definition)));
  std::optional<nn::Inference> inference;
  std::map<std::string, double> flops;
  std::vector<nn::Sizes> sizes;
  if (shapes.empty()) {
    ASSIGN_OR_RETURN(sizes, network->Imply(network->DeclaredSizes()));
  } else {
    ASSIGN_OR_RETURN(inference, InferFrom(*network, shapes));
    flops = plan::FlopsByLayer(plan::LowerShapes(*network, *inference));
    sizes = inference->sizes;
  }

  CheckedNetwork checked;
  for (size_t i = 0; i < network->nodes().size(); ++i) {
    const nn::Node& node = network->nodes()[i];
    CheckedNetwork::Layer& layer = checked.layers.emplace_back();
    layer.name = node.name;
    layer.type = (!inference && !node.again && node.layer->lazy() ? "Lazy" : "") + node.type;
    layer.parameters = ParametersOf(node, sizes[i]);
    Count(layer);
    if (!inference) continue;
    layer.outputs = inference->shapes[i];
    layer.flops = flops[node.name];
  }
  for (size_t i = 0; i < network->inputs().size(); ++i) {
    const nn::NetworkInput& input = network->inputs()[i];
    checked.inputs.push_back(
        {input.name, input.dtype, inference ? inference->inputs[i] : input.constraint});
  }
  for (const nn::NetworkOutput& output : network->outputs()) {
    std::optional<Shape> shape;
    if (inference) shape = inference->shape(output.source);
    checked.outputs.push_back({output.name, output.dtype, std::move(shape)});
  }
  return checked;
}

}  // namespace lazynet::cli
