#include "engine/backend/detailed_name.h"

namespace lazynet::backend {
namespace {

std::string_view NameOf(Eltwise::Algorithm algorithm) {
  using enum Eltwise::Algorithm;
  switch (algorithm) {
    case kRelu:
      return "relu";
    case kClamp:
      return "clamp";
    case kLeakyRelu:
      return "leaky_relu";
    case kElu:
      return "elu";
    case kGeluErf:
      return "gelu_erf";
    case kGeluTanh:
      return "gelu_tanh";
    case kSilu:
      return "silu";
    case kMish:
      return "mish";
    case kHardswish:
      return "hardswish";
    case kHardsigmoid:
      return "hardsigmoid";
    case kSigmoid:
      return "sigmoid";
    case kTanh:
      return "tanh";
    case kSoftplus:
      return "softplus";
    case kLinear:
      return "linear";
    case kCelu:
      return "celu";
    case kLogSigmoid:
      return "log_sigmoid";
    case kSoftsign:
      return "softsign";
    case kHardshrink:
      return "hardshrink";
    case kSoftshrink:
      return "softshrink";
    case kThreshold:
      return "threshold";
    case kAbs:
      return "abs";
    case kNegate:
      return "negate";
    case kSign:
      return "sign";
    case kExp:
      return "exp";
    case kExpm1:
      return "expm1";
    case kLog:
      return "log";
    case kLog2:
      return "log2";
    case kLog10:
      return "log10";
    case kLog1p:
      return "log1p";
    case kSqrt:
      return "sqrt";
    case kRsqrt:
      return "rsqrt";
    case kReciprocal:
      return "reciprocal";
    case kFloor:
      return "floor";
    case kCeil:
      return "ceil";
    case kRound:
      return "round";
    case kTrunc:
      return "trunc";
    case kSin:
      return "sin";
    case kCos:
      return "cos";
    case kTan:
      return "tan";
    case kAtan:
      return "atan";
    case kErf:
      return "erf";
  }
  return "eltwise";
}

std::string_view NameOf(Binary::Algorithm algorithm) {
  using enum Binary::Algorithm;
  switch (algorithm) {
    case kAdd:
      return "add";
    case kSub:
      return "sub";
    case kMul:
      return "mul";
    case kDiv:
      return "div";
    case kMax:
      return "max";
    case kMin:
      return "min";
    case kPow:
      return "pow";
    case kFloorDivide:
      return "floor_divide";
    case kRemainder:
      return "remainder";
    case kFmod:
      return "fmod";
    case kEqual:
      return "equal";
    case kNotEqual:
      return "not_equal";
    case kLess:
      return "less";
    case kLessOrEqual:
      return "less_or_equal";
    case kGreater:
      return "greater";
    case kGreaterOrEqual:
      return "greater_or_equal";
    case kAnd:
      return "and";
    case kOr:
      return "or";
    case kXor:
      return "xor";
  }
  return "binary";
}

std::string_view NameOf(Reduction::Algorithm algorithm) {
  using enum Reduction::Algorithm;
  switch (algorithm) {
    case kSum:
      return "reduce_sum";
    case kMean:
      return "reduce_mean";
    case kProd:
      return "reduce_prod";
    case kMax:
      return "reduce_max";
    case kMin:
      return "reduce_min";
    case kVariance:
      return "reduce_variance";
    case kNorm:
      return "reduce_norm";
    case kLogSumExp:
      return "reduce_logsumexp";
  }
  return "reduction";
}

std::string_view NameOf(Recurrent::Cell cell) {
  switch (cell) {
    case Recurrent::Cell::kRnnTanh:
      return "rnn_tanh";
    case Recurrent::Cell::kRnnRelu:
      return "rnn_relu";
    case Recurrent::Cell::kLstm:
      return "lstm";
    case Recurrent::Cell::kGru:
      return "gru";
  }
  return "recurrent";
}

}  // namespace

std::string_view DetailedName(const OpKind& kind) {
  if (const auto* op = std::get_if<Eltwise>(&kind)) return NameOf(op->algorithm);
  if (const auto* op = std::get_if<Binary>(&kind)) return NameOf(op->algorithm);
  if (const auto* op = std::get_if<Reduction>(&kind)) return NameOf(op->algorithm);
  if (const auto* op = std::get_if<Recurrent>(&kind)) return NameOf(op->cell);
  if (const auto* op = std::get_if<Pooling>(&kind)) {
    return op->kind == Pooling::Kind::kMax ? "max_pooling" : "average_pooling";
  }
  if (const auto* op = std::get_if<ArgReduction>(&kind)) {
    return op->algorithm == ArgReduction::Algorithm::kMax ? "argmax" : "argmin";
  }
  return Name(kind);
}

}  // namespace lazynet::backend
