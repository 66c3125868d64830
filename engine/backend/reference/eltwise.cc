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
  const double alpha = op.alpha;
  const double beta = op.beta;
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
  }
  LAZYNET_CHECK(false);
  return {};
}

LAZYNET_REFERENCE_COMPUTATION(Eltwise);

}  // namespace lazynet::backend::reference
