#include "engine/nn/network.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "engine/nn/layer_registry.h"

namespace lazynet::nn {
namespace {

constexpr size_t kMaxNameBytes = 255;

absl::Status CheckName(std::string_view kind, std::string_view name) {
  if (name.empty()) return InvalidArgument("{} wants a name", kind);
  if (name.size() > kMaxNameBytes) {
    return InvalidArgument("{} name wants at most {} bytes, got {}", kind, kMaxNameBytes,
                           name.size());
  }
  for (const char c : name) {
    if (c <= ' ' || c == '"' || c == 127) {
      return InvalidArgument("{} name wants no spaces, quotes or control characters, got \"{}\"",
                             kind, name);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckConstraint(const NetworkInput& input, const Shape& shape) {
  const Shape& wanted = *input.constraint;
  bool fits = wanted.rank() == shape.rank();
  for (int axis = 0; fits && axis < shape.rank(); ++axis) {
    fits = wanted.dim(axis) == kUnknownDim || wanted.dim(axis) == shape.dim(axis);
  }
  if (fits) return absl::OkStatus();
  return InvalidArgument("input \"{}\": wants shape {}, got {}", input.name, wanted.ToString(),
                         shape.ToString());
}

}  // namespace

std::string Node::ParameterName(int index) const {
  return name + "." + layer->parameters()[static_cast<size_t>(index)].name;
}

const Shape& Inference::shape(ValueRef ref) const {
  return (ref.kind == ValueRef::Kind::kInput ? inputs : shapes)[static_cast<size_t>(ref.index)];
}

absl::StatusOr<std::shared_ptr<const Network>> Network::Create(NetworkDefinition definition) {
  std::shared_ptr<Network> network(new Network());
  network->name_ = definition.name;
  network->seed_ = definition.seed;
  network->draw_order_ = definition.draw_order;
  network->dtype_ = definition.parameter_dtype;
  if (network->dtype_ != DType::kFp32 && network->dtype_ != DType::kFp64) {
    return Unimplemented("parameter_dtype wants FP32 or FP64, got {}", Name(network->dtype_));
  }
  RETURN_IF_ERROR(network->AddInputs(definition));
  RETURN_IF_ERROR(network->AddNodes(definition));
  RETURN_IF_ERROR(network->ConnectNodes(definition));
  RETURN_IF_ERROR(network->AddOutputs(definition));
  RETURN_IF_ERROR(network->SortNodes());
  RETURN_IF_ERROR(network->CheckInputsAreUsed());
  return std::shared_ptr<const Network>(std::move(network));
}

absl::Status Network::AddInputs(const NetworkDefinition& definition) {
  for (const InputDefinition& input : definition.inputs) {
    RETURN_IF_ERROR(CheckName("input", input.name));
    const DType dtype = input.dtype.value_or(dtype_);
    if (dtype != dtype_) {
      return Unimplemented("input \"{}\": wants the parameters' dtype {}, got {}", input.name,
                           Name(dtype_), Name(dtype));
    }
    if (input.shape && input.shape->rank() > kMaxRank) {
      return InvalidArgument("input \"{}\": wants a rank of at most {}, got {}", input.name,
                             kMaxRank, input.shape->rank());
    }
    if (input.shape) {
      for (int64_t dim : input.shape->dims()) {
        if (dim < kUnknownDim || dim > kMaxDim) {
          return InvalidArgument("input \"{}\": wants dims of -1 (any) to {}, got {}", input.name,
                                 kMaxDim, dim);
        }
      }
    }
    for (const NetworkInput& other : inputs_) {
      if (other.name == input.name) {
        return InvalidArgument("input \"{}\" is there twice", input.name);
      }
    }
    inputs_.push_back({input.name, dtype, input.shape});
  }
  if (inputs_.empty()) inputs_.push_back({"input", dtype_, std::nullopt});
  return absl::OkStatus();
}

absl::Status Network::AddNodes(const NetworkDefinition& definition) {
  if (definition.layers.empty()) return InvalidArgument("a network wants at least 1 layer");
  for (const LayerDefinition& layer : definition.layers) {
    RETURN_IF_ERROR(CheckName("layer", layer.name));
    if (Resolve(layer.name).ok()) {
      return InvalidArgument("layer \"{}\": the name is taken", layer.name);
    }
    auto made = MakeLayer(layer.type, layer.attributes);
    if (!made.ok()) {
      return Annotate(fmt::format("layer \"{}\" ({})", layer.name, layer.type), made.status());
    }
    nodes_.push_back({layer.name, layer.type, *std::move(made), {}});
  }
  return absl::OkStatus();
}

absl::StatusOr<ValueRef> Network::Resolve(const std::string& source) const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].name == source) return ValueRef{ValueRef::Kind::kInput, static_cast<int>(i)};
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].name == source) return ValueRef{ValueRef::Kind::kNode, static_cast<int>(i)};
  }
  return NotFound("no layer or input is called \"{}\"", source);
}

absl::Status Network::ConnectNodes(const NetworkDefinition& definition) {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    const LayerDefinition& layer = definition.layers[i];
    for (const std::string& source : layer.inputs) {
      const auto ref = Resolve(source);
      if (!ref.ok()) {
        return InvalidArgument("{}: {}", Describe(static_cast<int>(i)), Message(ref.status()));
      }
      node.inputs.push_back(*ref);
    }
    if (layer.inputs.empty()) {
      if (i == 0 && inputs_.size() > 1) {
        return InvalidArgument("{}: wants inputs, the network has {}", Describe(0), inputs_.size());
      }
      node.inputs.push_back(i == 0 ? ValueRef{ValueRef::Kind::kInput, 0}
                                   : ValueRef{ValueRef::Kind::kNode, static_cast<int>(i) - 1});
    }
    const Layer::Arity arity = node.layer->arity();
    const int got = static_cast<int>(node.inputs.size());
    if (got < arity.least || (arity.most >= 0 && got > arity.most)) {
      return InvalidArgument("{}: wants {}{} inputs, got {}", Describe(static_cast<int>(i)),
                             arity.most == arity.least ? "" : "at least ", arity.least, got);
    }
  }
  return absl::OkStatus();
}

absl::Status Network::AddOutputs(const NetworkDefinition& definition) {
  for (const OutputDefinition& output : definition.outputs) {
    RETURN_IF_ERROR(CheckName("output", output.name));
    for (const NetworkOutput& other : outputs_) {
      if (other.name == output.name) {
        return InvalidArgument("output \"{}\" is there twice", output.name);
      }
    }
    const auto source = Resolve(output.source);
    if (!source.ok()) {
      return InvalidArgument("output \"{}\": {}", output.name, Message(source.status()));
    }
    outputs_.push_back({output.name, *source});
  }
  if (outputs_.empty()) {
    outputs_.push_back({"output", {ValueRef::Kind::kNode, static_cast<int>(nodes_.size()) - 1}});
  }
  return absl::OkStatus();
}

// Kahn's algorithm; among nodes that may run, the first registered runs first.
absl::Status Network::SortNodes() {
  std::vector<int> missing(nodes_.size(), 0);
  std::vector<std::vector<int>> users(nodes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (const ValueRef ref : nodes_[i].inputs) {
      if (ref.kind == ValueRef::Kind::kInput) continue;
      ++missing[i];
      users[static_cast<size_t>(ref.index)].push_back(static_cast<int>(i));
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (missing[i] == 0) ready.push(static_cast<int>(i));
  }
  while (!ready.empty()) {
    const int node = ready.top();
    ready.pop();
    execution_order_.push_back(node);
    for (int user : users[static_cast<size_t>(node)]) {
      if (--missing[static_cast<size_t>(user)] == 0) ready.push(user);
    }
  }
  if (execution_order_.size() < nodes_.size()) {
    const auto stuck = std::find_if(missing.begin(), missing.end(), [](int n) { return n > 0; });
    return InvalidArgument("{}: waits for its own output (a cycle)",
                           Describe(static_cast<int>(stuck - missing.begin())));
  }
  return absl::OkStatus();
}

absl::Status Network::CheckInputsAreUsed() const {
  std::vector<bool> used(inputs_.size(), false);
  const auto mark = [&](ValueRef ref) {
    if (ref.kind == ValueRef::Kind::kInput) used[static_cast<size_t>(ref.index)] = true;
  };
  for (const Node& node : nodes_) std::for_each(node.inputs.begin(), node.inputs.end(), mark);
  for (const NetworkOutput& output : outputs_) mark(output.source);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!used[i]) return InvalidArgument("input \"{}\": no layer uses it", inputs_[i].name);
  }
  return absl::OkStatus();
}

std::string Network::Describe(int node) const {
  const Node& described = nodes_[static_cast<size_t>(node)];
  return fmt::format("layer \"{}\" ({})", described.name, described.type);
}

std::vector<Sizes> Network::DeclaredSizes() const {
  std::vector<Sizes> sizes;
  for (const Node& node : nodes_) sizes.push_back(node.layer->DeclaredSizes());
  return sizes;
}

absl::StatusOr<Inference> Network::Infer(std::span<const Shape> input_shapes,
                                         const std::vector<Sizes>& known) const {
  LAZYNET_CHECK(input_shapes.size() == inputs_.size() && known.size() == nodes_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (absl::Status status = CheckBounds(input_shapes[i].dims()); !status.ok()) {
      return Annotate(fmt::format("input \"{}\"", inputs_[i].name), status);
    }
    if (inputs_[i].constraint) RETURN_IF_ERROR(CheckConstraint(inputs_[i], input_shapes[i]));
  }
  Inference inference{.sizes = known,
                      .shapes = std::vector<Shape>(nodes_.size()),
                      .inputs = {input_shapes.begin(), input_shapes.end()}};
  for (const int index : execution_order_) {
    const auto at = static_cast<size_t>(index);
    std::vector<Shape> shapes;
    for (const ValueRef ref : nodes_[at].inputs) shapes.push_back(inference.shape(ref));
    absl::StatusOr<Shape> output = nodes_[at].layer->Infer(shapes, inference.sizes[at]);
    absl::Status status = output.status();
    if (status.ok()) status = CheckBounds(output->dims());
    if (!status.ok()) return Annotate(Describe(index), status);
    inference.shapes[at] = *std::move(output);
  }
  return inference;
}

std::string Network::ClassName(int node, const Sizes& sizes) const {
  const bool unknown = std::find(sizes.begin(), sizes.end(), kUnknownDim) != sizes.end();
  return (unknown ? "Lazy" : "") + nodes_[static_cast<size_t>(node)].type;
}

std::string Network::Repr(const std::vector<Sizes>& sizes) const {
  std::string text = name_ + "(\n";
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    text += fmt::format("  ({}): {}({})", node.name, ClassName(static_cast<int>(i), sizes[i]),
                        node.layer->Arguments(sizes[i]));
    // PyTorch's own text has no edges; they are shown where they are not the obvious ones.
    const bool chained =
        node.inputs.size() == 1 && (i == 0 ? node.inputs[0].kind == ValueRef::Kind::kInput
                                           : node.inputs[0].kind == ValueRef::Kind::kNode &&
                                                 node.inputs[0].index == static_cast<int>(i) - 1);
    if (!chained) {
      text += " <-";
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const ValueRef ref = node.inputs[k];
        const auto at = static_cast<size_t>(ref.index);
        text += k == 0 ? " " : ", ";
        text += ref.kind == ValueRef::Kind::kInput ? inputs_[at].name : nodes_[at].name;
      }
    }
    text += "\n";
  }
  return text + ")";
}

}  // namespace lazynet::nn
