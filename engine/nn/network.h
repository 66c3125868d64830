#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/nn/layer.h"
#include "engine/nn/network_definition.h"

namespace lazynet::nn {

// Where a value comes from: an output of a node, or an input of the network.
struct ValueRef {
  enum class Kind { kNode, kInput };
  Kind kind = Kind::kNode;
  int index = 0;
  int output = 0;  // which one of the node's
};

// A layer at its place in the graph.
struct Node {
  std::string name;
  std::string type;
  std::shared_ptr<const Layer> layer;
  std::vector<ValueRef> inputs;

  // The node whose sizes and parameters it uses: itself, or where it is the same layer again, that.
  int module = 0;
  bool again = false;

  DType dtype = DType::kFp32;        // of the layer's parameters
  DType drawn_dtype = DType::kFp32;  // that their initial values are drawn in
  OutputDTypes output_dtypes;

  // Per parameter, where the definition gives one; empty where it gives none at all.
  std::vector<std::optional<init::Initializer>> initializers;

  // Of this node itself; none where it uses another's.
  std::span<const ParameterSpec> parameters() const;

  // "fc1.weight": the key of parameter `index` in a state dict.
  std::string ParameterName(int index) const;

  // The parameter's own dtype, or the layer's.
  DType ParameterDType(int index) const;
};

struct NetworkInput {
  std::string name;
  DType dtype = DType::kFp32;
  std::optional<Shape> constraint;  // kUnknownDim where any size will do; nothing: any shape
};

struct NetworkOutput {
  std::string name;
  ValueRef source;
  DType dtype = DType::kFp32;
};

// What follows from input shapes; kUnknownDim only where those have it.
struct Inference {
  std::vector<Sizes> sizes;          // per node; empty where it uses another's
  std::vector<OutputShapes> shapes;  // per node
  std::vector<Shape> inputs;         // per network input

  const Shape& shape(ValueRef ref) const;
};

// Bounds of a definition, so that a hostile one cannot take much time or memory.
inline constexpr size_t kMaxLayers = 65536;
inline constexpr size_t kMaxParameters = 1 << 20;
inline constexpr size_t kMaxInputs = 256;  // and outputs

// A checked definition: layers with their places in the graph. Immutable, owns no parameters.
class Network {
 public:
  // INVALID_ARGUMENT names the layer, input or output at fault, what was wanted and what came.
  // A definition that no input shape could satisfy is refused as well, as far as Imply can tell.
  static absl::StatusOr<std::shared_ptr<const Network>> Create(NetworkDefinition definition);

  const std::string& name() const { return name_; }
  const std::vector<Node>& nodes() const { return nodes_; }  // in registration order
  std::span<const int> execution_order() const { return execution_order_; }
  const std::vector<NetworkInput>& inputs() const { return inputs_; }
  const std::vector<NetworkOutput>& outputs() const { return outputs_; }
  DType dtype() const { return dtype_; }  // of parameters and inputs, unless they say otherwise

  // BF16 where that is asked for: plans then keep FP32 values in BF16 between their ops, if the
  // backend can. Inputs, outputs and parameters are the same as without.
  DType compute_dtype() const { return compute_dtype_; }
  int64_t seed() const { return seed_; }
  DrawOrder draw_order() const { return draw_order_; }

  // Whether no size is left out.
  bool IsEager() const;

  // The sizes that the definition gives, per node.
  std::vector<Sizes> DeclaredSizes() const;

  // Shape inference through the whole graph; allocates no tensor. `known` holds, per node, what is
  // declared, loaded or bound already, and constrains the shapes. INVALID_ARGUMENT names the input
  // or layer that cannot take its shape.
  absl::StatusOr<Inference> Infer(std::span<const Shape> input_shapes,
                                  const std::vector<Sizes>& known) const;

  // Every error that Infer would find one after the other: layers behind a layer at fault are not
  // looked at. Empty when the shapes are right.
  std::vector<absl::Status> Diagnose(std::span<const Shape> input_shapes,
                                     const std::vector<Sizes>& known) const;

  // What `known` implies for the sizes of other layers whatever the input: the in_features of a
  // Linear behind another, for one. Sizes go forward only: that two layers want different things of
  // one input is for Infer to find. INVALID_ARGUMENT, as Infer, when so no input shape can be
  // right.
  absl::StatusOr<std::vector<Sizes>> Imply(const std::vector<Sizes>& known) const;

  // As PyTorch prints a module, unknown sizes as 0; layers where `lazy` is true, or of which a size
  // is unknown, as LazyX.
  std::string Repr(const std::vector<Sizes>& sizes, const std::vector<bool>& lazy = {}) const;

 private:
  Network() = default;
  absl::Status SetComputeDType(std::optional<DType> wanted);
  absl::Status AddInputs(const NetworkDefinition& definition);
  absl::Status AddNodes(const NetworkDefinition& definition);
  absl::Status ConnectNodes(const NetworkDefinition& definition);
  absl::Status AddOutputs(const NetworkDefinition& definition);
  absl::StatusOr<Node> MakeNode(const LayerDefinition& layer, DType default_dtype) const;
  absl::Status SortNodes();
  absl::Status InferDTypes();
  absl::Status CheckInputsAreUsed() const;
  absl::StatusOr<ValueRef> Resolve(const std::string& source) const;
  absl::Status CheckInputShapes(std::span<const Shape> input_shapes) const;

  // Collects the errors of layers whose inputs are fine; stops at the first one unless `all`.
  struct Faults {
    bool all = false;
    std::vector<absl::Status> errors;
    size_t reached = 0;  // nodes that took their input
  };
  absl::StatusOr<std::vector<Sizes>> ImplyForward(const std::vector<Sizes>& known) const;
  Inference Propagate(std::vector<Shape> input_shapes, const std::vector<Sizes>& known,
                      Faults& faults) const;
  std::string Describe(int node) const;
  std::string NameOf(ValueRef ref) const;
  DType DTypeOf(ValueRef ref) const;

  std::string name_;
  std::vector<Node> nodes_;
  absl::flat_hash_map<std::string, int> node_of_name_;
  std::vector<int> execution_order_;
  std::vector<NetworkInput> inputs_;
  std::vector<NetworkOutput> outputs_;
  DType dtype_ = DType::kFp32;
  DType compute_dtype_ = DType::kFp32;
  int64_t seed_ = 0;
  DrawOrder draw_order_ = DrawOrder::kTorch;
};

}  // namespace lazynet::nn
