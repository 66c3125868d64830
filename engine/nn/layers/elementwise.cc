#include "engine/nn/layers/elementwise.h"

#include <cmath>
#include <limits>

#include "engine/nn/broadcast.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;
using Algorithm = backend::Binary::Algorithm;

Algorithm OfBools(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kAdd:
    case Algorithm::kMax:
      return Algorithm::kOr;
    case Algorithm::kMul:
    case Algorithm::kMin:
      return Algorithm::kAnd;
    default:
      return algorithm;
  }
}

}  // namespace

ValueId InGraphDType(Lowering& lowering, ValueId src, DType dtype) {
  const backend::Value value = lowering.graph().value(src);
  if (value.dtype == dtype) return src;
  return lowering.Add(backend::Cast{}, {src}, value.shape, dtype);
}

ValueId AddBinary(Lowering& lowering, Algorithm algorithm, ValueId src0, ValueId src1) {
  const DType dtype = lowering.graph().value(src0).dtype;
  if (dtype == DType::kBool) algorithm = OfBools(algorithm);
  const bool to_bool = algorithm >= Algorithm::kEqual;
  return lowering.Add(backend::Binary{algorithm}, {src0, src1},
                      *Broadcast(lowering.shape(src0), lowering.shape(src1)),
                      to_bool ? DType::kBool : dtype);
}

ValueId AddWhere(Lowering& lowering, ValueId condition, ValueId src0, ValueId src1) {
  const Shape shapes[] = {lowering.shape(condition), lowering.shape(src0), lowering.shape(src1)};
  return lowering.Add(backend::Where{}, {condition, src0, src1}, *Broadcast(shapes),
                      lowering.graph().value(src0).dtype);
}

ValueId AddEltwise(Lowering& lowering, backend::Eltwise op, ValueId src) {
  return lowering.Add(op, {src}, lowering.shape(src));
}

ValueId AddClamp(Lowering& lowering, ValueId src, DType dtype, std::optional<double> low,
                 std::optional<double> high) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const DType arithmetic = ArithmeticDType(dtype);
  src = InGraphDType(lowering, src, arithmetic);
  const bool nan = (low && std::isnan(*low)) || (high && std::isnan(*high));
  if (IsFloating(arithmetic) && !nan) {
    return AddEltwise(lowering,
                      {.algorithm = backend::Eltwise::Algorithm::kClamp,
                       .alpha = low.value_or(-kInfinity),
                       .beta = high.value_or(kInfinity)},
                      src);
  }
  if (low) src = AddBinary(lowering, Algorithm::kMax, src, AddNumber(lowering, *low, dtype));
  if (high) src = AddBinary(lowering, Algorithm::kMin, src, AddNumber(lowering, *high, dtype));
  return src;
}

}  // namespace lazynet::nn
