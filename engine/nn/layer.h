#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/graph.h"
#include "engine/nn/attribute_reader.h"
#include "engine/nn/parameter.h"

namespace lazynet::nn {

// An input-dependent size of a layer type and what the definition says of it.
struct SizeSpec {
  std::string name;                 // PyTorch's argument: "in_features"
  std::optional<int64_t> declared;  // nothing: lazy
};

// What a layer needs to append its ops to a graph.
class Lowering {
 public:
  virtual ~Lowering() = default;
  virtual backend::Graph& graph() = 0;
  virtual backend::ValueId input(int index) const = 0;
  virtual int input_count() const = 0;
  virtual const Sizes& sizes() const = 0;

  // Parameter `index` of Layer::parameters() as a constant of the graph.
  virtual backend::ValueId Parameter(int index) = 0;

  // Appends an op on behalf of the layer.
  virtual backend::ValueId Add(backend::OpKind kind, std::vector<backend::ValueId> inputs,
                               Shape output) = 0;

  const Shape& shape(backend::ValueId id) { return graph().value(id).shape; }
  backend::ValueId Reshape(backend::ValueId src, Shape shape) {
    return Add(backend::Reshape{}, {src}, std::move(shape));
  }
};

// One layer of a definition: PyTorch's class with its arguments. Immutable.
//
// A new layer implements Infer and Lower, describes itself in its constructor (sizes, parameters)
// and in Arguments, and is made by a factory in layer_registry.cc; see engine/nn/README.md.
class Layer {
 public:
  virtual ~Layer() = default;

  // Number of inputs it takes; `most` < 0: any number.
  struct Arity {
    int least = 1;
    int most = 1;
  };
  virtual Arity arity() const { return {}; }

  // The input-dependent sizes, and the parameters in PyTorch's state-dict order.
  const std::vector<SizeSpec>& sizes() const { return sizes_; }
  const std::vector<ParameterSpec>& parameters() const { return parameters_; }
  bool lazy() const;

  // The sizes that the definition gives.
  Sizes DeclaredSizes() const;

  // The output shape for concrete input shapes. Sizes not known yet are inferred and stored in
  // `sizes`; known ones are checked. INVALID_ARGUMENT with what was wanted and what came; `sizes`
  // may then be half-filled and is to be dropped.
  virtual absl::StatusOr<Shape> Infer(std::span<const Shape> inputs, Sizes& sizes) const = 0;

  // Appends the ops for shapes that Infer accepted; returns the output value.
  virtual backend::ValueId Lower(Lowering& lowering) const = 0;

  // PyTorch's extra_repr: "in_features=784, out_features=10, bias=True", unknown sizes as 0.
  virtual std::string Arguments(const Sizes& sizes) const = 0;

 protected:
  int AddSize(std::string name, std::optional<int64_t> declared);
  int AddParameter(ParameterSpec spec);

  // Stores `got` in sizes[index], or checks it against what is known. A size of 0 is refused: it
  // would leave parameters without values.
  absl::Status Resolve(int index, int64_t got, Sizes& sizes) const;

 private:
  std::vector<SizeSpec> sizes_;
  std::vector<ParameterSpec> parameters_;
};

// A size for repr: 0 while it is not known, as PyTorch shows it.
int64_t ReprSize(const Sizes& sizes, int index);

// "(3, 3)", "(3,)": a Python tuple.
std::string Tuple(std::span<const int64_t> values);

// "True" or "False".
std::string_view PythonBool(bool value);

// A Python float as repr prints it: "1e-05", "0.1", "1.0".
std::string PythonFloat(double value);

}  // namespace lazynet::nn
