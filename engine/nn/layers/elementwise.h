#pragma once

#include <optional>
#include <vector>

#include "engine/nn/layer.h"

// What the layers that work element by element lower to.
namespace lazynet::nn {

// The value in another dtype of the graph, unless it has it already: what is FP16 in a definition
// is FP32 there.
backend::ValueId InGraphDType(Lowering& lowering, backend::ValueId src, DType dtype);

// An op on values of the dtype of arithmetic; the result has it too, or is BOOL for comparisons and
// logic. Of BOOL, kAdd and kMax are kOr, kMul and kMin are kAnd.
backend::ValueId AddBinary(Lowering& lowering, backend::Binary::Algorithm algorithm,
                           backend::ValueId src0, backend::ValueId src1);

// condition ? src0 : src1, in the dtype of both.
backend::ValueId AddWhere(Lowering& lowering, backend::ValueId condition, backend::ValueId src0,
                          backend::ValueId src1);

backend::ValueId AddEltwise(Lowering& lowering, backend::Eltwise op, backend::ValueId src);

// min(max(src, low), high), NaN kept, in the dtype of arithmetic on `dtype`.
backend::ValueId AddClamp(Lowering& lowering, backend::ValueId src, DType dtype,
                          std::optional<double> low, std::optional<double> high);

}  // namespace lazynet::nn
