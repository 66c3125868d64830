#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "engine/backend/reference/broadcast.h"
#include "engine/backend/reference/computation.h"

namespace lazynet::backend::reference {
namespace {

using Algorithm = Binary::Algorithm;

// The loops over a row by the sources' steps, so that the compiler knows those that matter. dst may
// be a source.
template <typename T, typename Dst, typename Function>
void ApplyToRow(const T* src0, int64_t step0, const T* src1, int64_t step1, Dst* dst, int64_t size,
                const Function& function) {
  if (step0 == 1 && step1 == 1) {
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) dst[i] = function(src0[i], src1[i]);
  } else if (step0 == 1 && step1 == 0) {
    const T fixed = *src1;
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) dst[i] = function(src0[i], fixed);
  } else if (step0 == 0 && step1 == 1) {
    const T fixed = *src0;
#pragma GCC ivdep
    for (int64_t i = 0; i < size; ++i) dst[i] = function(fixed, src1[i]);
  } else {
    for (int64_t i = 0; i < size; ++i) dst[i] = function(src0[i * step0], src1[i * step1]);
  }
}

template <typename T, typename Dst, typename Function>
void Apply(const Broadcast<2>& broadcast, const T* src0, const T* src1, Dst* dst,
           const Function& function) {
  const auto [step0, step1] = broadcast.row_strides();
  broadcast.ForEachRow([&](const Broadcast<2>::Offsets& at, int64_t dst_at) {
    ApplyToRow(src0 + at[0], step0, src1 + at[1], step1, dst + dst_at, broadcast.row_size(),
               function);
  });
}

// Without branches, for the compiler to keep in vectors.
template <typename T>
T Larger(T a, T b) {
  return (a > b) | (a != a) ? a : b;
}

template <typename T>
T Lesser(T a, T b) {
  return (a < b) | (a != a) ? a : b;
}

double Remainder(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
}

// By way of the remainder, which is exact: floor(a / b) would be 10 of 1 by 0.1, a little more than
// a tenth. The quotient is an integer but for rounding.
double FloorDivide(double a, double b) {
  if (b == 0) return a / b;
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

// Integers of two's complement that wrap, as unsigned ones do.
int64_t Wrap(uint64_t x) { return static_cast<int64_t>(x); }

int64_t Divide(int64_t a, int64_t b) { return b == -1 ? Wrap(-static_cast<uint64_t>(a)) : a / b; }

int64_t Fmod(int64_t a, int64_t b) { return b == -1 ? 0 : a % b; }

int64_t Remainder(int64_t a, int64_t b) {
  const int64_t rest = Fmod(a, b);
  return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
}

int64_t FloorDivide(int64_t a, int64_t b) {
  const int64_t rest = Fmod(a, b);
  return Divide(a, b) - (rest != 0 && (b < 0) != (rest < 0) ? 1 : 0);
}

int64_t Power(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 1) return 1;
    return base != -1 ? 0 : exponent % 2 == 0 ? 1 : -1;
  }
  uint64_t power = 1;
  auto square = static_cast<uint64_t>(base);
  for (; exponent > 0; exponent /= 2, square *= square) {
    if (exponent % 2 == 1) power *= square;
  }
  return Wrap(power);
}

// Calls visit(f) with the function of two floats; false for others.
template <typename T, typename Visit>
bool WithArithmetic(Algorithm algorithm, const Visit& visit) {
  switch (algorithm) {
    case Algorithm::kAdd:
      visit([](T a, T b) { return a + b; });
      return true;
    case Algorithm::kSub:
      visit([](T a, T b) { return a - b; });
      return true;
    case Algorithm::kMul:
      visit([](T a, T b) { return a * b; });
      return true;
    case Algorithm::kDiv:
      visit([](T a, T b) { return a / b; });
      return true;
    case Algorithm::kMax:
      visit([](T a, T b) { return Larger(a, b); });
      return true;
    case Algorithm::kMin:
      visit([](T a, T b) { return Lesser(a, b); });
      return true;
    case Algorithm::kPow:
      visit([](T a, T b) { return std::pow(a, b); });
      return true;
    case Algorithm::kFloorDivide:
      visit([](T a, T b) { return static_cast<T>(FloorDivide(double{a}, double{b})); });
      return true;
    case Algorithm::kRemainder:
      visit([](T a, T b) { return static_cast<T>(Remainder(double{a}, double{b})); });
      return true;
    case Algorithm::kFmod:
      visit([](T a, T b) { return std::fmod(a, b); });
      return true;
    default:
      return false;
  }
}

template <typename Visit>
bool WithIntegerArithmetic(Algorithm algorithm, const Visit& visit) {
  using U = uint64_t;
  switch (algorithm) {
    case Algorithm::kAdd:
      visit([](int64_t a, int64_t b) { return Wrap(U(a) + U(b)); });
      return true;
    case Algorithm::kSub:
      visit([](int64_t a, int64_t b) { return Wrap(U(a) - U(b)); });
      return true;
    case Algorithm::kMul:
      visit([](int64_t a, int64_t b) { return Wrap(U(a) * U(b)); });
      return true;
    case Algorithm::kDiv:
      visit(Divide);
      return true;
    case Algorithm::kMax:
      visit([](int64_t a, int64_t b) { return Larger(a, b); });
      return true;
    case Algorithm::kMin:
      visit([](int64_t a, int64_t b) { return Lesser(a, b); });
      return true;
    case Algorithm::kPow:
      visit(Power);
      return true;
    case Algorithm::kFloorDivide:
      visit([](int64_t a, int64_t b) { return FloorDivide(a, b); });
      return true;
    case Algorithm::kRemainder:
      visit([](int64_t a, int64_t b) { return Remainder(a, b); });
      return true;
    case Algorithm::kFmod:
      visit(Fmod);
      return true;
    default:
      return false;
  }
}

template <typename T, typename Visit>
bool WithComparison(Algorithm algorithm, const Visit& visit) {
  switch (algorithm) {
    case Algorithm::kEqual:
      visit([](T a, T b) { return a == b; });
      return true;
    case Algorithm::kNotEqual:
      visit([](T a, T b) { return a != b; });
      return true;
    case Algorithm::kLess:
      visit([](T a, T b) { return a < b; });
      return true;
    case Algorithm::kLessOrEqual:
      visit([](T a, T b) { return a <= b; });
      return true;
    case Algorithm::kGreater:
      visit([](T a, T b) { return a > b; });
      return true;
    case Algorithm::kGreaterOrEqual:
      visit([](T a, T b) { return a >= b; });
      return true;
    default:
      return false;
  }
}

template <typename Visit>
bool WithLogic(Algorithm algorithm, const Visit& visit) {
  switch (algorithm) {
    case Algorithm::kAnd:
      visit([](bool a, bool b) { return a && b; });
      return true;
    case Algorithm::kOr:
      visit([](bool a, bool b) { return a || b; });
      return true;
    case Algorithm::kXor:
      visit([](bool a, bool b) { return a != b; });
      return true;
    default:
      return false;
  }
}

// A visitor that makes the loop of the function it is given.
template <typename T, typename Dst>
auto MakeLoop(const Broadcast<2>& broadcast, std::optional<AnyRun>& made) {
  return [&](auto function) {
    made.emplace([broadcast, function](const AnyOperands& operands) {
      Apply(broadcast, operands.src<T>(0), operands.src<T>(1), operands.dst<Dst>(), function);
      return absl::OkStatus();
    });
  };
}

bool Divides(Algorithm algorithm) {
  return algorithm == Algorithm::kDiv || algorithm == Algorithm::kFloorDivide ||
         algorithm == Algorithm::kRemainder || algorithm == Algorithm::kFmod;
}

// The same run where no divisor is 0.
AnyRun RefusingZeros(AnyRun run, int64_t divisors, std::string layer) {
  const bool in_place = run.in_place;
  AnyRun checked = [=, divide = std::move(run.run),
                    layer = std::move(layer)](const AnyOperands& operands) -> absl::Status {
    const auto* divisor = operands.src<int64_t>(1);
    if (std::find(divisor, divisor + divisors, 0) != divisor + divisors) {
      return InvalidArgument("layer \"{}\": wants integer divisors that are not 0, got 0", layer);
    }
    return divide(operands);
  };
  checked.in_place = in_place;
  return checked;
}

}  // namespace

template <typename T>
Computation<T> MakeComputation(const Binary& op, const OpShapes& shapes) {
  const Broadcast<2> broadcast({shapes.srcs[0], shapes.srcs[1]}, shapes.dst);
  Computation<T> computation;
  const bool known = WithArithmetic<T>(op.algorithm, [&](auto function) {
    computation.run = [=](const Operands<T>& operands) {
      Apply(broadcast, operands.src(0), operands.src(1), operands.dst(), function);
    };
  });
  LAZYNET_CHECK(known);
  computation.in_place = shapes.srcs[0] == shapes.dst;
  return computation;
}

absl::StatusOr<AnyRun> MakeRun(const Binary& kind, const Graph& graph, const Op& op) {
  const Value& src0 = graph.value(op.inputs[0]);
  const Value& src1 = graph.value(op.inputs[1]);
  const Value& dst = graph.value(op.output);
  const Broadcast<2> broadcast({src0.shape, src1.shape}, dst.shape);
  const bool to_bool = dst.dtype == DType::kBool;
  std::optional<AnyRun> run;
  if (src0.dtype == src1.dtype) {
    switch (src0.dtype) {
      case DType::kFp32:
        if (to_bool) WithComparison<float>(kind.algorithm, MakeLoop<float, bool>(broadcast, run));
        break;
      case DType::kFp64:
        if (to_bool) WithComparison<double>(kind.algorithm, MakeLoop<double, bool>(broadcast, run));
        break;
      case DType::kInt64:
        if (to_bool) {
          WithComparison<int64_t>(kind.algorithm, MakeLoop<int64_t, bool>(broadcast, run));
        } else if (dst.dtype == DType::kInt64) {
          WithIntegerArithmetic(kind.algorithm, MakeLoop<int64_t, int64_t>(broadcast, run));
        }
        break;
      case DType::kBool:
        // Read as bytes: what a request calls BOOL may be any of them.
        if (to_bool && !WithLogic(kind.algorithm, MakeLoop<uint8_t, bool>(broadcast, run))) {
          WithComparison<bool>(kind.algorithm, MakeLoop<uint8_t, bool>(broadcast, run));
        }
        break;
      default:
        break;
    }
  }
  if (!run) {
    return Unimplemented("this binary of {} and {} to {}", Name(src0.dtype), Name(src1.dtype),
                         Name(dst.dtype));
  }
  run->in_place = src0.dtype == dst.dtype && src0.shape == dst.shape;
  if (dst.dtype == DType::kInt64 && Divides(kind.algorithm)) {
    return RefusingZeros(*std::move(run), src1.shape.num_elements(), op.layer);
  }
  return *std::move(run);
}

LAZYNET_REFERENCE_COMPUTATION(Binary);

}  // namespace lazynet::backend::reference
