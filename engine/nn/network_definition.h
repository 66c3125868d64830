#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/core/dtype.h"
#include "engine/core/shape.h"
#include "engine/init/named_initializers.h"

namespace lazynet::nn {

// A value of a layer's argument, as PyTorch's constructors take them.
using AttributeValue =
    std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;

// Arguments by PyTorch's names. What is left out has PyTorch's default, or is lazy.
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

// Initial values of one parameter instead of those that PyTorch gives it, drawn in their place.
struct InitializerDefinition {
  std::string parameter;  // "weight"
  init::Initializer initializer;
};

struct LayerDefinition {
  std::string name;  // PyTorch's module path: "layer1.0.conv1"
  std::string type;  // PyTorch's class name without Lazy: "Conv2d"; empty with same_as
  Attributes attributes;

  // Layers or network inputs by name, "lstm:h_n" for another output than the first. Empty: the
  // layer before this one, or for the first layer the network's only input.
  std::vector<std::string> inputs;

  // A layer that is used again here, with its parameters: a module that is called twice.
  std::string same_as;

  // The constructor's dtype argument. Nothing: the network's parameter_dtype.
  std::optional<DType> dtype;

  std::vector<InitializerDefinition> initializers;
};

struct InputDefinition {
  std::string name;
  std::optional<DType> dtype;  // nothing: the parameters' dtype

  // A constraint on request shapes, kUnknownDim where any size will do. Nothing: any shape.
  std::optional<Shape> shape;
};

struct OutputDefinition {
  std::string name;
  std::string source;  // the layer, its output ("lstm:h_n") or the network input it is
};

// The order in which initial values are drawn from the random stream.
enum class DrawOrder {
  kTorch,     // eager layers in registration order, then lazy ones in execution order
  kPerLayer,  // every layer from its own stream, seeded by (seed, layer name)
};

// What a user wrote: layers in registration order, before any check.
struct NetworkDefinition {
  std::string name;
  std::vector<InputDefinition> inputs;  // empty: one called "input"
  std::vector<LayerDefinition> layers;
  std::vector<OutputDefinition> outputs;  // empty: one called "output", the last layer's
  int64_t seed = 0;                       // its low 32 bits count, as in PyTorch
  DrawOrder draw_order = DrawOrder::kTorch;

  // As module.to(dtype) before the first call: layers that are constructed with all their sizes
  // draw in FP32, or their own dtype, and are converted; lazy ones draw in the dtype they have.
  DType parameter_dtype = DType::kFp32;

  // BF16, or FP32 as if nothing is said. Only of FP32 parameters.
  std::optional<DType> compute_dtype;
};

}  // namespace lazynet::nn
