#include "engine/backend/graph.h"

#include <utility>

namespace lazynet::backend {

std::vector<ValueId> OperandsOf(const Op& op) {
  std::vector<ValueId> operands = op.inputs;
  ValueId made = op.output;
  for (const Op& next : op.fused) {
    for (const ValueId id : next.inputs) {
      if (id != made) operands.push_back(id);
    }
    made = next.output;
  }
  return operands;
}

ValueId Graph::AddInput(DType dtype, Shape shape) {
  values.push_back({.dtype = dtype, .shape = std::move(shape)});
  inputs.push_back(static_cast<ValueId>(values.size()) - 1);
  return inputs.back();
}

ValueId Graph::AddConstant(DType dtype, Shape shape, Constant constant) {
  values.push_back(
      {.dtype = dtype, .shape = std::move(shape), .constant = static_cast<int>(constants.size())});
  constants.push_back(std::move(constant));
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::AddOp(OpKind kind, std::vector<ValueId> op_inputs, Shape output_shape,
                     std::string layer, std::optional<DType> output_dtype) {
  const DType dtype = output_dtype.value_or(value(op_inputs.front()).dtype);
  values.push_back({.dtype = dtype, .shape = std::move(output_shape)});
  const ValueId output = static_cast<ValueId>(values.size()) - 1;
  ops.push_back({.kind = std::move(kind),
                 .inputs = std::move(op_inputs),
                 .output = output,
                 .layer = std::move(layer),
                 .fused = {}});
  return output;
}

}  // namespace lazynet::backend
