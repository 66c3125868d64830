#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/dtype.h"
#include "engine/core/shape.h"

namespace lazynet::nn {

// The input-dependent sizes of one layer, such as (in_features); kUnknownDim while not known.
using Sizes = absl::InlinedVector<int64_t, 2>;

// One dim of a parameter: a number, or a size of the layer over a divisor (in_channels / groups) or
// times a factor (3 embed_dim).
struct Extent {
  int64_t constant = 0;
  int size = -1;  // index into Sizes, or -1 for `constant`
  int64_t divisor = 1;
  int64_t factor = 1;

  static Extent Of(int64_t constant) { return {.constant = constant}; }
  static Extent OfSize(int size, int64_t divisor = 1) { return {.size = size, .divisor = divisor}; }
  static Extent Times(int64_t factor, int size) { return {.size = size, .factor = factor}; }

  // kUnknownDim while the size is not known.
  int64_t Value(const Sizes& sizes) const;
};

// The rule for a parameter's initial values, PyTorch 1.13's reset_parameters.
struct InitialValue {
  enum class Kind {
    kConstant,        // `value` everywhere; nothing is drawn
    kKaimingUniform,  // U(-b, b), b = sqrt(3) gain / sqrt(fan_in), gain of leaky_relu(sqrt 5)
    kFanInUniform,    // U(-b, b), b = 1 / sqrt(fan_in)
    kFeatureUniform,  // U(-b, b), b = 1 / sqrt(axis 1 of the parameter that gives fan_in)
    kXavierUniform,   // U(-b, b), b = sqrt(3) sqrt(2 / (fan_in + fan_out))
    kXavierNormal,    // N(0, 2 / (fan_in + fan_out))
    kUniform,         // U(-value, value)
    kNormal,          // N(0, 1)
  };
  Kind kind = Kind::kConstant;
  double value = 0;
  int fan_in_of = 0;      // the parameter of the same layer whose shape gives fan_in
  bool zeroed = false;    // set to 0 after they were drawn
  int64_t zero_row = -1;  // as `zeroed`, for one row of axis 0
};

// A parameter or buffer of a layer type; what it is for given sizes follows from `extents`.
struct ParameterSpec {
  std::string name;  // "weight", "running_mean"; empty: the key is the layer's name alone
  std::vector<Extent> extents;
  InitialValue initial;
  bool buffer = false;
  std::optional<DType> dtype;  // when it is not the network's parameter dtype

  // Its shape, with kUnknownDim where a size is not known.
  Shape ShapeFor(const Sizes& sizes) const;
};

}  // namespace lazynet::nn
