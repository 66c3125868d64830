#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/backend/op.h"
#include "engine/nn/dim_expression.h"
#include "engine/nn/network_definition.h"

namespace lazynet::nn {

// The value of an argument that stands for the input's number of channels: IN_CHANNELS.
inline constexpr int64_t kInputSize = -1;

// Reads a layer's arguments. The first fault is kept and reported by Finish(), so that a layer
// reads all its arguments in plain sequence; after a fault the values returned are defaults.
class AttributeReader {
 public:
  explicit AttributeReader(const Attributes& attributes) : attributes_(attributes) {}

  bool Bool(std::string_view name, bool default_value);
  double Double(std::string_view name, double default_value);
  std::string String(std::string_view name, std::string default_value);
  std::optional<int64_t> OptionalInt(std::string_view name);
  int64_t Int(std::string_view name, int64_t default_value);

  // An argument that must be there, and at least `minimum`.
  int64_t RequiredInt(std::string_view name, int64_t minimum);

  // A size that depends on the input: nothing when left out (lazy), else at least 1.
  std::optional<int64_t> Size(std::string_view name);

  // A size with PyTorch's default; nothing for kInputSize, which makes it lazy and is called `word`
  // in messages.
  std::optional<int64_t> SizeOrInput(std::string_view name, int64_t default_value,
                                     std::string_view word = "IN_CHANNELS");

  // One number per spatial axis, each from `minimum` to 2^31 - 1; a single number stands for all
  // axes. Nothing when left out.
  std::optional<backend::AxisVector> OptionalPerAxis(std::string_view name, int axes,
                                                     int64_t minimum);
  backend::AxisVector PerAxis(std::string_view name, int axes, int64_t minimum,
                              int64_t default_value);
  backend::AxisVector RequiredPerAxis(std::string_view name, int axes, int64_t minimum);

  // Dims of a shape, each at least 1 or kUnknownDim.
  std::vector<int64_t> Dims(std::string_view name, std::vector<int64_t> default_value);

  // A list of any integers; none when left out.
  std::vector<int64_t> Ints(std::string_view name);

  // A list of numbers; none when left out.
  std::vector<double> Doubles(std::string_view name);

  // Axes, negative ones included, that are to be checked against a rank later.
  std::vector<int64_t> Axes(std::string_view name);

  // Text of expressions over the sizes of the layer's inputs; nothing when left out.
  std::optional<std::vector<DimExpression>> Expressions(std::string_view name);
  std::optional<DimExpression> Expression(std::string_view name);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }

  // Records a fault unless `condition` holds.
  void Require(bool condition, std::string message);

  // The first fault, or INVALID_ARGUMENT when an argument was given that nobody read.
  absl::Status Finish() const;

 private:
  const AttributeValue* Find(std::string_view name) const;
  template <typename T>
  const T* Get(std::string_view name, std::string_view kind);

  const Attributes& attributes_;
  std::vector<std::string> read_;
  absl::Status fault_;
};

}  // namespace lazynet::nn
