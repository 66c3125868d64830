#include <cmath>
#include <numbers>

#include "engine/backend/reference/computation.h"
#include "engine/backend/reference/functions.h"

namespace lazynet::backend::reference {
namespace {

// Like all comparisons below, so written that NaN goes through.
double Clamp(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

double Hardsigmoid(double x) { return Clamp(x + 3, 0, 6) / 6; }

template <typename T, typename Function>
Computation<T> ForEach(int64_t count, Function function) {
  const auto run = [=](const Operands<T>& operands) {
    const T* src = operands.src(0);
    T* dst = operands.dst();
    for (int64_t i = 0; i < count; ++i) dst[i] = static_cast<T>(function(src[i]));
  };
  return {.run = run, .in_place = true};
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Eltwise& op, const OpShapes& shapes) {
  using enum Eltwise::Algorithm;
  const int64_t count = shapes.dst.num_elements();
  // Numbers of the dtype, as in PyTorch: an element may be just the limit.
  const double alpha = static_cast<T>(op.alpha);
  const double beta = static_cast<T>(op.beta);
  switch (op.algorithm) {
    case kRelu:
      return ForEach<T>(count, Relu);
    case kClamp:
      return ForEach<T>(count, [=](double x) { return Clamp(x, alpha, beta); });
    case kLeakyRelu:
      return ForEach<T>(count, [=](double x) { return x > 0 ? x : alpha * x; });
    case kElu:
      return ForEach<T>(count, [=](double x) { return x > 0 ? x : alpha * std::expm1(x); });
    case kGeluErf:
      return ForEach<T>(count,
                        [](double x) { return x / 2 * (1 + std::erf(x / std::numbers::sqrt2)); });
    case kGeluTanh:
      return ForEach<T>(count, [](double x) {
        const double slope = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // sqrt(2 / pi)
        return x / 2 * (1 + std::tanh(slope * (x + 0.044715 * x * x * x)));
      });
    case kSilu:
      return ForEach<T>(count, [](double x) { return x * Sigmoid(x); });
    case kMish:
      return ForEach<T>(count, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); });
    case kHardswish:
      return ForEach<T>(count, [](double x) { return x * Hardsigmoid(x); });
    case kHardsigmoid:
      return ForEach<T>(count, Hardsigmoid);
    case kSigmoid:
      return ForEach<T>(count, Sigmoid);
    case kTanh:
      return ForEach<T>(count, [](double x) { return std::tanh(x); });
    case kSoftplus:
      return ForEach<T>(count, [=](double x) {
        return alpha * x > beta ? x : std::log1p(std::exp(alpha * x)) / alpha;
      });
    case kLinear:
      return ForEach<T>(count, [=](double x) { return alpha * x + beta; });
    case kCelu:
      return ForEach<T>(count, [=](double x) { return x > 0 ? x : alpha * std::expm1(x / alpha); });
    case kLogSigmoid:
      return ForEach<T>(
          count, [](double x) { return (x > 0 ? 0 : x) - std::log1p(std::exp(-std::abs(x))); });
    case kSoftsign:
      return ForEach<T>(count, [](double x) { return x / (1 + std::abs(x)); });
    case kHardshrink:
      return ForEach<T>(count, [=](double x) { return x >= -alpha && x <= alpha ? 0 : x; });
    case kSoftshrink:
      return ForEach<T>(count, [=](double x) {
        return x > alpha ? x - alpha : x < -alpha ? x + alpha : 0;
      });
    case kThreshold:
      return ForEach<T>(count, [=](double x) { return x <= alpha ? beta : x; });
    case kAbs:
      return ForEach<T>(count, [](double x) { return std::abs(x); });
    case kNegate:
      return ForEach<T>(count, [](double x) { return -x; });
    case kSign:
      return ForEach<T>(count, [](double x) { return (x > 0) - (x < 0); });
    case kExp:
      return ForEach<T>(count, [](double x) { return std::exp(x); });
    case kExpm1:
      return ForEach<T>(count, [](double x) { return std::expm1(x); });
    case kLog:
      return ForEach<T>(count, [](double x) { return std::log(x); });
    case kLog2:
      return ForEach<T>(count, [](double x) { return std::log2(x); });
    case kLog10:
      return ForEach<T>(count, [](double x) { return std::log10(x); });
    case kLog1p:
      return ForEach<T>(count, [](double x) { return std::log1p(x); });
    case kSqrt:
      return ForEach<T>(count, [](double x) { return std::sqrt(x); });
    case kRsqrt:
      return ForEach<T>(count, [](double x) { return 1 / std::sqrt(x); });
    case kReciprocal:
      return ForEach<T>(count, [](double x) { return 1 / x; });
    case kFloor:
      return ForEach<T>(count, [](double x) { return std::floor(x); });
    case kCeil:
      return ForEach<T>(count, [](double x) { return std::ceil(x); });
    case kRound:
      return ForEach<T>(count, [](double x) { return std::nearbyint(x); });
    case kTrunc:
      return ForEach<T>(count, [](double x) { return std::trunc(x); });
    case kSin:
      return ForEach<T>(count, [](double x) { return std::sin(x); });
    case kCos:
      return ForEach<T>(count, [](double x) { return std::cos(x); });
    case kTan:
      return ForEach<T>(count, [](double x) { return std::tan(x); });
    case kAtan:
      return ForEach<T>(count, [](double x) { return std::atan(x); });
    case kErf:
      return ForEach<T>(count, [](double x) { return std::erf(x); });
  }
  LAZYNET_CHECK(false);
  return {};
}

absl::StatusOr<AnyRun> MakeRun(const Eltwise& kind, const Graph& graph, const Op& op) {
  const DType dtype = graph.value(op.output).dtype;
  const int64_t count = graph.value(op.output).shape.num_elements();
  const auto for_each = [count](auto function) {
    AnyRun run = [=](const AnyOperands& operands) {
      const auto* src = operands.src<int64_t>(0);
      auto* dst = operands.dst<int64_t>();
      for (int64_t i = 0; i < count; ++i) dst[i] = function(src[i]);
      return absl::OkStatus();
    };
    run.in_place = true;
    return run;
  };
  // As an unsigned one, the least number is its own opposite.
  const auto negate = [](int64_t x) { return static_cast<int64_t>(-static_cast<uint64_t>(x)); };
  if (dtype == DType::kInt64 && graph.value(op.inputs[0]).dtype == dtype) {
    switch (kind.algorithm) {
      case Eltwise::Algorithm::kAbs:
        return for_each([negate](int64_t x) { return x < 0 ? negate(x) : x; });
      case Eltwise::Algorithm::kNegate:
        return for_each(negate);
      case Eltwise::Algorithm::kSign:
        return for_each([](int64_t x) { return int64_t{x > 0} - int64_t{x < 0}; });
      default:
        break;
    }
  }
  return Unimplemented("this eltwise of {}", Name(dtype));
}

LAZYNET_REFERENCE_COMPUTATION(Eltwise);

}  // namespace lazynet::backend::reference
