#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/nn/layer.h"
#include "engine/nn/network_definition.h"

namespace lazynet::nn {

// Where a value comes from: the output of a node, or an input of the network.
struct ValueRef {
  enum class Kind { kNode, kInput };
  Kind kind = Kind::kNode;
  int index = 0;
};

struct Node {
  std::string name;
  std::string type;
  std::unique_ptr<const Layer> layer;
  std::vector<ValueRef> inputs;

  // "fc1.weight": the key of parameter `index` in a state dict.
  std::string ParameterName(int index) const;
};

struct NetworkInput {
  std::string name;
  DType dtype = DType::kFp32;
  std::optional<Shape> constraint;  // kUnknownDim where any size will do; nothing: any shape
};

struct NetworkOutput {
  std::string name;
  ValueRef source;
};

// What follows from concrete input shapes.
struct Inference {
  std::vector<Sizes> sizes;   // per node, all known
  std::vector<Shape> shapes;  // per node, its output
  std::vector<Shape> inputs;  // per network input

  const Shape& shape(ValueRef ref) const;
};

// A checked definition: layers with their places in the graph. Immutable, owns no parameters.
class Network {
 public:
  // INVALID_ARGUMENT names the layer, input or output at fault, what was wanted and what came.
  static absl::StatusOr<std::shared_ptr<const Network>> Create(NetworkDefinition definition);

  const std::string& name() const { return name_; }
  const std::vector<Node>& nodes() const { return nodes_; }  // in registration order
  std::span<const int> execution_order() const { return execution_order_; }
  const std::vector<NetworkInput>& inputs() const { return inputs_; }
  const std::vector<NetworkOutput>& outputs() const { return outputs_; }
  DType dtype() const { return dtype_; }  // of parameters, inputs and outputs
  int64_t seed() const { return seed_; }
  DrawOrder draw_order() const { return draw_order_; }

  // The sizes that the definition gives, per node.
  std::vector<Sizes> DeclaredSizes() const;

  // Shape inference through the whole graph; allocates no tensor. `known` holds, per node, what is
  // declared, loaded or bound already, and constrains the shapes. INVALID_ARGUMENT names the input
  // or layer that cannot take its shape.
  absl::StatusOr<Inference> Infer(std::span<const Shape> input_shapes,
                                  const std::vector<Sizes>& known) const;

  // As PyTorch prints a module; lazy layers with unknown sizes as LazyX with 0.
  std::string Repr(const std::vector<Sizes>& sizes) const;

  // "LazyLinear" while a lazy size of the node is unknown, else "Linear".
  std::string ClassName(int node, const Sizes& sizes) const;

 private:
  Network() = default;
  absl::Status AddInputs(const NetworkDefinition& definition);
  absl::Status AddNodes(const NetworkDefinition& definition);
  absl::Status ConnectNodes(const NetworkDefinition& definition);
  absl::Status AddOutputs(const NetworkDefinition& definition);
  absl::Status SortNodes();
  absl::Status CheckInputsAreUsed() const;
  absl::StatusOr<ValueRef> Resolve(const std::string& source) const;
  std::string Describe(int node) const;

  std::string name_;
  std::vector<Node> nodes_;
  std::vector<int> execution_order_;
  std::vector<NetworkInput> inputs_;
  std::vector<NetworkOutput> outputs_;
  DType dtype_ = DType::kFp32;
  int64_t seed_ = 0;
  DrawOrder draw_order_ = DrawOrder::kTorch;
};

}  // namespace lazynet::nn
