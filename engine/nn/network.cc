#include "engine/nn/network.h"

#include <fmt/ranges.h>

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

// Text of several lines, as layers of layers have, one step further in.
std::string Indented(std::string_view text) {
  std::string indented;
  for (const char c : text) {
    indented += c;
    if (c == '\n') indented += "  ";
  }
  return indented;
}

// Sizes that are not known yet count as whatever the initializer can take.
Shape LikelyShape(const ParameterSpec& spec, const Sizes& sizes,
                  const init::Initializer& initializer) {
  const auto* dirac = std::get_if<init::DiracInitializer>(&initializer);
  Shape shape = spec.ShapeFor(sizes);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape.dim(axis) == kUnknownDim) shape.set_dim(axis, dirac != nullptr ? dirac->groups : 1);
  }
  return shape;
}

absl::Status SetInitializers(const LayerDefinition& definition, Node& node) {
  const auto& specs = node.layer->parameters();
  if (!definition.initializers.empty()) node.initializers.resize(specs.size());
  for (const auto& [name, initializer] : definition.initializers) {
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const ParameterSpec& s) { return s.name == name; });
    if (spec == specs.end()) {
      return InvalidArgument("initializer: the layer has no parameter \"{}\"", name);
    }
    auto& given = node.initializers[static_cast<size_t>(spec - specs.begin())];
    if (given) return InvalidArgument("initializer of \"{}\" is there twice", name);
    if (spec->dtype) {
      return InvalidArgument("initializer: \"{}\" counts and wants none", name);
    }
    given = initializer;
    const Shape shape = LikelyShape(*spec, node.layer->DeclaredSizes(), initializer);
    if (absl::Status status = init::CheckInitializer(initializer, node.drawn_dtype, shape);
        !status.ok()) {
      return Annotate(fmt::format("initializer of \"{}\"", name), status);
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::span<const ParameterSpec> Node::parameters() const {
  if (again) return {};
  return layer->parameters();
}

std::string Node::ParameterName(int index) const {
  const std::string& own = layer->parameters()[static_cast<size_t>(index)].name;
  return own.empty() ? name : name + "." + own;
}

DType Node::ParameterDType(int index) const {
  return layer->parameters()[static_cast<size_t>(index)].dtype.value_or(dtype);
}

const Shape& Inference::shape(ValueRef ref) const {
  const auto at = static_cast<size_t>(ref.index);
  return ref.kind == ValueRef::Kind::kInput ? inputs[at]
                                            : shapes[at][static_cast<size_t>(ref.output)];
}

absl::StatusOr<std::shared_ptr<const Network>> Network::Create(NetworkDefinition definition) {
  std::shared_ptr<Network> network(new Network());
  network->name_ = definition.name;
  network->seed_ = definition.seed;
  network->draw_order_ = definition.draw_order;
  network->dtype_ = definition.parameter_dtype;
  if (!IsFloating(network->dtype_)) {
    return InvalidArgument("parameter_dtype wants FP32, FP64, BF16 or FP16, got {}",
                           Name(network->dtype_));
  }
  RETURN_IF_ERROR(network->SetComputeDType(definition.compute_dtype));
  RETURN_IF_ERROR(network->AddInputs(definition));
  RETURN_IF_ERROR(network->AddNodes(definition));
  RETURN_IF_ERROR(network->ConnectNodes(definition));
  RETURN_IF_ERROR(network->SortNodes());
  RETURN_IF_ERROR(network->InferDTypes());
  RETURN_IF_ERROR(network->AddOutputs(definition));
  RETURN_IF_ERROR(network->CheckInputsAreUsed());
  RETURN_IF_ERROR(network->Imply(network->DeclaredSizes()).status());
  return std::shared_ptr<const Network>(std::move(network));
}

// FP64 is computed in itself, 16-bit parameters in FP32.
absl::Status Network::SetComputeDType(std::optional<DType> wanted) {
  compute_dtype_ = dtype_ == DType::kFp64 ? DType::kFp64 : DType::kFp32;
  if (!wanted) return absl::OkStatus();
  if (*wanted != DType::kFp32 && *wanted != DType::kBf16) {
    return InvalidArgument("compute wants FP32 or BF16, got {}", Name(*wanted));
  }
  if (dtype_ != DType::kFp32) {
    return InvalidArgument("compute: {} wants parameter_dtype FP32, got {}", Name(*wanted),
                           Name(dtype_));
  }
  compute_dtype_ = *wanted;
  return absl::OkStatus();
}

absl::Status Network::AddInputs(const NetworkDefinition& definition) {
  if (std::max(definition.inputs.size(), definition.outputs.size()) > kMaxInputs) {
    return ResourceExhausted("a network wants at most {} inputs and outputs, got {} and {}",
                             kMaxInputs, definition.inputs.size(), definition.outputs.size());
  }
  for (const InputDefinition& input : definition.inputs) {
    RETURN_IF_ERROR(CheckName("input", input.name));
    const DType dtype = input.dtype.value_or(dtype_);
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
  if (definition.layers.size() > kMaxLayers) {
    return ResourceExhausted("a network wants at most {} layers, got {}", kMaxLayers,
                             definition.layers.size());
  }
  size_t parameters = 0;
  for (const LayerDefinition& layer : definition.layers) {
    RETURN_IF_ERROR(CheckName("layer", layer.name));
    if (Resolve(layer.name).ok()) {
      return InvalidArgument("layer \"{}\": the name is taken", layer.name);
    }
    ASSIGN_OR_RETURN(Node node, MakeNode(layer, dtype_));
    parameters += node.parameters().size();
    if (parameters > kMaxParameters) {
      return ResourceExhausted("a network wants at most {} parameters", kMaxParameters);
    }
    node_of_name_[layer.name] = static_cast<int>(nodes_.size());
    nodes_.push_back(std::move(node));
  }
  return absl::OkStatus();
}

absl::StatusOr<Node> Network::MakeNode(const LayerDefinition& layer, DType default_dtype) const {
  const int index = static_cast<int>(nodes_.size());
  if (!layer.same_as.empty()) {
    const auto same = node_of_name_.find(layer.same_as);
    if (same == node_of_name_.end()) {
      return InvalidArgument("layer \"{}\": same_as wants a layer before it, got \"{}\"",
                             layer.name, layer.same_as);
    }
    if (!layer.type.empty() || layer.dtype || !layer.initializers.empty()) {
      return InvalidArgument(
          "layer \"{}\": wants same_as or a type, dtype and initializers of its own, got both",
          layer.name);
    }
    Node node = nodes_[static_cast<size_t>(same->second)];
    node.name = layer.name;
    node.inputs.clear();
    node.again = true;
    return node;
  }
  const std::string where = fmt::format("layer \"{}\" ({})", layer.name, layer.type);
  const DType dtype = layer.dtype.value_or(default_dtype);
  if (!IsFloating(dtype)) {
    return InvalidArgument("{}: dtype wants FP32, FP64, BF16 or FP16, got {}", where, Name(dtype));
  }
  auto made = MakeLayer(layer.type, layer.attributes);
  if (!made.ok()) return Annotate(where, made.status());
  Node node{.name = layer.name, .type = layer.type, .layer = *std::move(made), .module = index};
  node.dtype = dtype;
  node.drawn_dtype = node.layer->lazy() ? dtype : layer.dtype.value_or(DType::kFp32);
  if (absl::Status status = SetInitializers(layer, node); !status.ok()) {
    return Annotate(where, status);
  }
  return node;
}

absl::StatusOr<ValueRef> Network::Resolve(const std::string& source) const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].name == source) return ValueRef{ValueRef::Kind::kInput, static_cast<int>(i)};
  }
  // Names may hold colons of their own.
  const size_t colon = source.rfind(':');
  const std::string owner = source.substr(0, colon);
  if (const auto node = node_of_name_.find(source); node != node_of_name_.end()) {
    return ValueRef{ValueRef::Kind::kNode, node->second};
  }
  const auto node = colon == std::string::npos ? node_of_name_.end() : node_of_name_.find(owner);
  if (node == node_of_name_.end()) return NotFound("no layer or input is called \"{}\"", source);
  const std::string output = source.substr(colon + 1);
  const auto names = nodes_[static_cast<size_t>(node->second)].layer->output_names();
  const auto named = std::find(names.begin(), names.end(), output);
  if (named == names.end()) {
    return NotFound("layer \"{}\" has the outputs {}, not \"{}\"", owner, fmt::join(names, ", "),
                    output);
  }
  return ValueRef{ValueRef::Kind::kNode, node->second, static_cast<int>(named - names.begin())};
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
    const Layer::Arity arity = node.layer->arity();
    if (layer.inputs.empty() && arity.most != 0) {
      if (i == 0 && inputs_.size() > 1) {
        return InvalidArgument("{}: wants inputs, the network has {}", Describe(0), inputs_.size());
      }
      node.inputs.push_back(i == 0 ? ValueRef{ValueRef::Kind::kInput, 0}
                                   : ValueRef{ValueRef::Kind::kNode, static_cast<int>(i) - 1});
    }
    const int got = static_cast<int>(node.inputs.size());
    if (got < arity.least || (arity.most >= 0 && got > arity.most)) {
      const std::string wanted = arity.most == arity.least ? fmt::format("{}", arity.least)
                                 : arity.most < 0
                                     ? fmt::format("at least {}", arity.least)
                                     : fmt::format("{} to {}", arity.least, arity.most);
      return InvalidArgument("{}: wants {} inputs, got {}", Describe(static_cast<int>(i)), wanted,
                             got);
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
    outputs_.push_back({output.name, *source, DTypeOf(*source)});
  }
  if (outputs_.empty()) {
    const ValueRef last{ValueRef::Kind::kNode, static_cast<int>(nodes_.size()) - 1};
    outputs_.push_back({"output", last, DTypeOf(last)});
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

absl::Status Network::InferDTypes() {
  for (const int index : execution_order_) {
    Node& node = nodes_[static_cast<size_t>(index)];
    std::vector<DType> inputs;
    for (const ValueRef ref : node.inputs) inputs.push_back(DTypeOf(ref));
    auto dtypes = node.layer->InferDTypes(inputs, node.dtype);
    if (!dtypes.ok()) return Annotate(Describe(index), dtypes.status());
    node.output_dtypes = *std::move(dtypes);
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

std::string Network::NameOf(ValueRef ref) const {
  const auto at = static_cast<size_t>(ref.index);
  if (ref.kind == ValueRef::Kind::kInput) return inputs_[at].name;
  if (ref.output == 0) return nodes_[at].name;
  return nodes_[at].name + ":" + nodes_[at].layer->output_names()[static_cast<size_t>(ref.output)];
}

DType Network::DTypeOf(ValueRef ref) const {
  const auto at = static_cast<size_t>(ref.index);
  return ref.kind == ValueRef::Kind::kInput
             ? inputs_[at].dtype
             : nodes_[at].output_dtypes[static_cast<size_t>(ref.output)];
}

bool Network::IsEager() const {
  return std::none_of(nodes_.begin(), nodes_.end(),
                      [](const Node& node) { return node.layer->lazy(); });
}

std::vector<Sizes> Network::DeclaredSizes() const {
  std::vector<Sizes> sizes;
  for (const Node& node : nodes_) {
    sizes.push_back(node.again ? Sizes() : node.layer->DeclaredSizes());
  }
  return sizes;
}

absl::Status Network::CheckInputShapes(std::span<const Shape> input_shapes) const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (absl::Status status = CheckBounds(input_shapes[i].dims()); !status.ok()) {
      return Annotate(fmt::format("input \"{}\"", inputs_[i].name), status);
    }
    if (inputs_[i].constraint) RETURN_IF_ERROR(CheckConstraint(inputs_[i], input_shapes[i]));
  }
  return absl::OkStatus();
}

absl::StatusOr<Inference> Network::Infer(std::span<const Shape> input_shapes,
                                         const std::vector<Sizes>& known) const {
  LAZYNET_CHECK(input_shapes.size() == inputs_.size() && known.size() == nodes_.size());
  RETURN_IF_ERROR(CheckInputShapes(input_shapes));
  Faults faults;
  Inference inference = Propagate({input_shapes.begin(), input_shapes.end()}, known, faults);
  if (!faults.errors.empty()) return faults.errors.front();
  return inference;
}

std::vector<absl::Status> Network::Diagnose(std::span<const Shape> input_shapes,
                                            const std::vector<Sizes>& known) const {
  LAZYNET_CHECK(input_shapes.size() == inputs_.size() && known.size() == nodes_.size());
  if (absl::Status status = CheckInputShapes(input_shapes); !status.ok()) return {status};
  Faults faults{.all = true};
  Propagate({input_shapes.begin(), input_shapes.end()}, known, faults);
  return faults.errors;
}

Inference Network::Propagate(std::vector<Shape> input_shapes, const std::vector<Sizes>& known,
                             Faults& faults) const {
  Inference inference{.sizes = known,
                      .shapes = std::vector<OutputShapes>(nodes_.size()),
                      .inputs = std::move(input_shapes)};
  // Where a size of a layer that is used more than once was told.
  std::vector<int> told_by(nodes_.size(), -1);
  for (const int index : execution_order_) {
    const auto at = static_cast<size_t>(index);
    const Node& node = nodes_[at];
    const auto module = static_cast<size_t>(node.module);
    const bool broken = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueRef ref) {
      return ref.kind == ValueRef::Kind::kNode &&
             inference.shapes[static_cast<size_t>(ref.index)].empty();
    });
    if (broken) continue;
    std::vector<Shape> shapes;
    for (const ValueRef ref : node.inputs) shapes.push_back(inference.shape(ref));
    Sizes sizes = inference.sizes[module];
    absl::StatusOr<OutputShapes> outputs = node.layer->Infer(shapes, sizes);
    absl::Status status = outputs.status();
    for (size_t i = 0; status.ok() && i < outputs->size(); ++i) {
      status = CheckPartialBounds((*outputs)[i].dims());
    }
    if (!status.ok()) {
      const int teller = told_by[module];
      faults.errors.push_back(
          teller < 0 || teller == index
              ? Annotate(Describe(index), status)
              : InvalidArgument("{}: {} (it is the layer used at \"{}\", which fixed its sizes)",
                                Describe(index), Message(status),
                                nodes_[static_cast<size_t>(teller)].name));
      if (!faults.all) break;
      continue;
    }
    if (sizes != inference.sizes[module]) told_by[module] = index;
    inference.sizes[module] = std::move(sizes);
    inference.shapes[at] = *std::move(outputs);
    ++faults.reached;
  }
  return inference;
}

std::string Network::Repr(const std::vector<Sizes>& sizes, const std::vector<bool>& lazy) const {
  std::string text = name_ + "(\n";
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    text += fmt::format("  ({}): ", node.name);
    if (node.again) {
      text += "= " + nodes_[static_cast<size_t>(node.module)].name;
    } else {
      const bool unknown =
          std::find(sizes[i].begin(), sizes[i].end(), kUnknownDim) != sizes[i].end();
      text += fmt::format("{}{}({})", unknown || (!lazy.empty() && lazy[i]) ? "Lazy" : "",
                          node.type, Indented(node.layer->Arguments(sizes[i])));
    }
    // PyTorch's own text has no edges; they are shown where they are not the obvious ones.
    const bool chained =
        node.inputs.size() == 1 && (i == 0 ? node.inputs[0].kind == ValueRef::Kind::kInput
                                           : node.inputs[0].kind == ValueRef::Kind::kNode &&
                                                 node.inputs[0].index == static_cast<int>(i) - 1 &&
                                                 node.inputs[0].output == 0);
    if (!chained) {
      text += " <-";
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        text += (k == 0 ? " " : ", ") + NameOf(node.inputs[k]);
      }
    }
    text += "\n";
  }
  return text + ")";
}

}  // namespace lazynet::nn
