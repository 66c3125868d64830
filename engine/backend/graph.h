#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend/op.h"
#include "engine/core/tensor.h"

namespace lazynet::backend {

// Index of a value in its graph.
using ValueId = int;

// Stands for an absent optional input, such as the bias of a Linear without one.
inline constexpr ValueId kNoValue = -1;

// A value known when a plan is built: a parameter, or something folded from parameters.
struct Constant {
  // Unique among the constants of all graphs made from one parameter set, so that what is packed
  // from it can be shared between plans.
  std::string key;

  // Makes the plain tensor; cheap for a parameter, work for a folded one.
  std::function<absl::StatusOr<Tensor>()> make;
};

struct Value {
  DType dtype = DType::kFp32;
  Shape shape;
  int constant = -1;  // index into Graph::constants, or -1

  bool is_constant() const { return constant >= 0; }
};

struct Op {
  OpKind kind;
  std::vector<ValueId> inputs;  // in the order that op.h gives, kNoValue where absent
  ValueId output = kNoValue;
  std::string layer;  // path of the layer it came from, for errors and profiles

  // What is computed with it: each takes the value that the one before it makes, which nobody else
  // reads and which is stored nowhere. Backend::Fuses says which.
  std::vector<Op> fused;

  // The value that is stored.
  ValueId result() const { return fused.empty() ? output : fused.back().output; }
};

// What an op reads: its inputs, then those of what is fused to it that are not made on the way.
std::vector<ValueId> OperandsOf(const Op& op);

// A network lowered for concrete input shapes: ops in an order in which they can run.
struct Graph {
  std::vector<Value> values;
  std::vector<Constant> constants;
  std::vector<Op> ops;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  const Constant& constant(ValueId id) const {
    return constants[static_cast<size_t>(value(id).constant)];
  }

  ValueId AddInput(DType dtype, Shape shape);
  ValueId AddConstant(DType dtype, Shape shape, Constant constant);

  // Appends an op. Its output has the dtype of the op's first input unless another is given, as
  // Cast and Gather want.
  ValueId AddOp(OpKind kind, std::vector<ValueId> op_inputs, Shape output_shape, std::string layer,
                std::optional<DType> output_dtype = std::nullopt);
};

}  // namespace lazynet::backend
