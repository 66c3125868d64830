#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

// One thing for each output of a layer. Most layers have one, which converts by itself.
template <typename T>
class PerOutput : public std::vector<T> {
 public:
  PerOutput() = default;
  PerOutput(T only) { this->push_back(std::move(only)); }  // NOLINT: see above
  PerOutput(std::initializer_list<T> all) : std::vector<T>(all) {}
};
using OutputShapes = PerOutput<Shape>;
using OutputDTypes = PerOutput<DType>;
using OutputValues = PerOutput<backend::ValueId>;

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

  // Rows [begin, end) of its axis 0, seen in another shape.
  virtual backend::ValueId ParameterPart(int index, int64_t begin, int64_t end, Shape shape) = 0;

  // Appends an op on behalf of the layer. Its output has the dtype of its first input, or the one
  // given.
  virtual backend::ValueId Add(backend::OpKind kind, std::vector<backend::ValueId> inputs,
                               Shape output, std::optional<DType> dtype = std::nullopt) = 0;

  // The value rounded to another dtype. FP16 and BF16 are computed in FP32, so values of those
  // stay FP32 in the graph.
  virtual backend::ValueId Cast(backend::ValueId src, DType dtype) = 0;

  // The layer's parameters' dtype.
  virtual DType dtype() const = 0;

  // A constant of rank 0; integral dtypes take the number truncated.
  backend::ValueId Scalar(double value, DType dtype);

  const Shape& shape(backend::ValueId id) { return graph().value(id).shape; }
  DType dtype_of(backend::ValueId id) { return graph().value(id).dtype; }
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

  // What its outputs are called, for references such as "lstm:h_n". The first is the layer's value.
  virtual std::vector<std::string> output_names() const { return {"output"}; }

  // The input-dependent sizes, and the parameters in PyTorch's state-dict order.
  const std::vector<SizeSpec>& sizes() const { return sizes_; }
  const std::vector<ParameterSpec>& parameters() const { return parameters_; }
  bool lazy() const;

  // The sizes that the definition gives.
  Sizes DeclaredSizes() const;

  // The dtypes of the outputs. Unless a layer says otherwise all inputs are of one floating dtype,
  // that of its parameters if it has any, and so are the outputs. INVALID_ARGUMENT as Infer.
  virtual absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs,
                                                   DType parameters) const;

  // The output shapes for input shapes of known rank, whose dims may be kUnknownDim: what then
  // cannot be told is kUnknownDim as well, and is no error if some number would do. Sizes not known
  // yet are inferred and stored in `sizes`; known ones are checked. INVALID_ARGUMENT with what was
  // wanted and what came; `sizes` may then be half-filled and is to be dropped.
  virtual absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes& sizes) const = 0;

  // Appends the ops for concrete shapes that Infer accepted; returns the output values.
  virtual OutputValues Lower(Lowering& lowering) const = 0;

  // The order in which parameters are drawn, by index. PyTorch's reset_parameters goes through most
  // layers as they are registered.
  virtual std::vector<int> draw_order() const;

  // PyTorch's extra_repr: "in_features=784, out_features=10, bias=True", unknown sizes as 0.
  virtual std::string Arguments(const Sizes& sizes) const = 0;

 protected:
  int AddSize(std::string name, std::optional<int64_t> declared);
  int AddParameter(ParameterSpec spec);

  // Stores `got` in sizes[index], or checks it against what is known; kUnknownDim tells nothing. A
  // size of 0 is refused: it would leave parameters without values.
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
