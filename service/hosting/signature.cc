#include "service/hosting/signature.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace lazynet::hosting {
namespace {

const Shape kAnyShape{kUnknownDim};

std::vector<Shape> OutputShapes(const nn::Network& network, const nn::Inference& inference) {
  std::vector<Shape> shapes;
  for (const nn::NetworkOutput& output : network.outputs()) {
    shapes.push_back(inference.shape(output.source));
  }
  return shapes;
}

// Concrete shapes to start from: what bound the network, or the constraints with 1 for free dims.
std::optional<std::vector<Shape>> StartingShapes(const HostedNetwork& hosted) {
  const Standing now = hosted.Look();
  const Binding* binding = now.binding();
  if (binding != nullptr && !binding->input_shapes.empty()) return binding->input_shapes;
  std::vector<Shape> shapes;
  for (const nn::NetworkInput& input : hosted.network().inputs()) {
    if (!input.constraint) return std::nullopt;
    Shape shape = *input.constraint;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape.dim(axis) == kUnknownDim) shape.set_dim(axis, 1);
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

void MarkDifferences(const std::vector<Shape>& usual, const std::vector<Shape>& other,
                     std::vector<Shape>& marked) {
  for (size_t i = 0; i < usual.size(); ++i) {
    for (int axis = 0; axis < usual[i].rank(); ++axis) {
      if (usual[i].dim(axis) != other[i].dim(axis)) marked[i].set_dim(axis, kUnknownDim);
    }
  }
}

Signature Constraints(const nn::Network& network) {
  Signature signature;
  for (const nn::NetworkInput& input : network.inputs()) {
    signature.inputs.push_back(input.constraint.value_or(kAnyShape));
  }
  signature.outputs.assign(network.outputs().size(), kAnyShape);
  return signature;
}

}  // namespace

Signature Describe(const HostedNetwork& hosted) {
  const nn::Network& network = hosted.network();
  const auto start = StartingShapes(hosted);
  if (!start) return Constraints(network);
  const auto& sizes = hosted.parameters()->sizes();
  const auto usual = network.Infer(*start, sizes);
  if (!usual.ok()) return Constraints(network);
  const std::vector<Shape> usual_outputs = OutputShapes(network, *usual);
  Signature signature{.inputs = *start, .outputs = usual_outputs};
  // An axis varies for all inputs at once where they share it, as they share the batch axis.
  int rank = 0;
  for (const Shape& shape : *start) rank = std::max(rank, shape.rank());
  for (int axis = 0; axis < rank; ++axis) {
    std::vector<Shape> doubled = *start;
    for (Shape& shape : doubled) {
      if (axis < shape.rank()) shape.set_dim(axis, 2 * std::max<int64_t>(shape.dim(axis), 1));
    }
    const auto other = network.Infer(doubled, sizes);
    if (!other.ok()) continue;
    MarkDifferences(*start, doubled, signature.inputs);
    MarkDifferences(usual_outputs, OutputShapes(network, *other), signature.outputs);
  }
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    if (network.inputs()[i].constraint) signature.inputs[i] = *network.inputs()[i].constraint;
  }
  return signature;
}

}  // namespace lazynet::hosting
