#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "engine/backend/reference/computation.h"
#include "engine/backend/strided_copy.h"

namespace lazynet::backend::reference {
namespace {

using Algorithm = Reduction::Algorithm;

using Axis = StridedAxis<1>;

// The axes of src that stay, in the order of dst, and those along which elements are joined. Both
// have at least one.
struct Axes {
  std::vector<Axis> kept;
  std::vector<Axis> joined;
};

Axes SplitAxes(const Shape& src, const AxisVector& reduced) {
  Axes axes;
  const std::vector<int64_t> strides = DenseStrides(src);
  for (int at = 0; at < src.rank(); ++at) {
    const bool joins = std::find(reduced.begin(), reduced.end(), at) != reduced.end();
    (joins ? axes.joined : axes.kept).push_back({src.dim(at), {strides[static_cast<size_t>(at)]}});
  }
  return {JoinNeighbours(axes.kept), JoinNeighbours(axes.joined)};
}

// Calls visit(offset) for each element of the box of `axes`.
template <typename Visit>
void ForEachOffset(std::span<const Axis> axes, int64_t offset, const Visit& visit) {
  const Axis& axis = axes.front();
  for (int64_t i = 0; i < axis.size; ++i, offset += axis.strides[0]) {
    if (axes.size() == 1) {
      visit(offset);
    } else {
      ForEachOffset(axes.subspan(1), offset, visit);
    }
  }
}

// What is joined, one element after the other.
template <typename T>
class Elements {
 public:
  Elements(const T* first, std::span<const Axis> axes) : first_(first), axes_(axes) {}

  template <typename Visit>
  void ForEach(const Visit& visit) const {
    ForEachOffset(axes_, 0, [&](int64_t offset) { visit(first_[offset]); });
  }

  template <typename Function>
  double Sum(const Function& function) const {
    double sum = 0;
    ForEach([&](T x) { sum += function(static_cast<double>(x)); });
    return sum;
  }

  int64_t count() const {
    int64_t count = 1;
    for (const Axis& axis : axes_) count *= axis.size;
    return count;
  }

  // The largest, or least for a sign of -1; `initial` where there are none. NaN wins.
  template <typename Function>
  double Extreme(double sign, double initial, const Function& function) const {
    double extreme = initial;
    bool any = false;
    ForEach([&](T element) {
      const double x = function(static_cast<double>(element));
      if (!any || sign * x > sign * extreme || std::isnan(x)) extreme = x;
      any = true;
    });
    return extreme;
  }

 private:
  const T* first_;
  std::span<const Axis> axes_;
};

double Same(double x) { return x; }

template <typename T>
double NormOf(const Elements<T>& elements, double p) {
  const auto magnitude = [](double x) { return std::abs(x); };
  if (std::isinf(p)) return elements.Extreme(p > 0 ? 1 : -1, 0, magnitude);
  if (p == 0) return elements.Sum([](double x) { return x != 0 ? 1 : 0; });
  if (p == 1) return elements.Sum(magnitude);
  if (p == 2) return std::sqrt(elements.Sum([](double x) { return x * x; }));
  return std::pow(elements.Sum([p](double x) { return std::pow(std::abs(x), p); }), 1 / p);
}

template <typename T>
double ReduceFloats(const Reduction& kind, const Elements<T>& elements) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (kind.algorithm) {
    case Algorithm::kSum:
      return elements.Sum(Same);
    case Algorithm::kMean:
      return elements.Sum(Same) / static_cast<double>(elements.count());
    case Algorithm::kProd: {
      double product = 1;
      elements.ForEach([&](T x) { product *= x; });
      return product;
    }
    case Algorithm::kMax:
      return elements.Extreme(1, 0, Same);
    case Algorithm::kMin:
      return elements.Extreme(-1, 0, Same);
    case Algorithm::kVariance: {
      const auto count = static_cast<double>(elements.count());
      const double mean = elements.Sum(Same) / count;
      const double squares = elements.Sum([mean](double x) { return (x - mean) * (x - mean); });
      return squares / std::max(count - static_cast<double>(kind.correction), 0.0);
    }
    case Algorithm::kNorm:
      return NormOf(elements, kind.p);
    case Algorithm::kLogSumExp: {
      const double largest = elements.Extreme(1, -kInfinity, Same);
      // exp(x - largest) would be NaN where both are infinite.
      const double shift = std::isinf(largest) ? 0 : largest;
      return std::log(elements.Sum([shift](double x) { return std::exp(x - shift); })) + shift;
    }
  }
  LAZYNET_CHECK(false);
  return 0;
}

int64_t ReduceIntegers(Algorithm algorithm, const Elements<int64_t>& elements) {
  uint64_t sum = 0;
  uint64_t product = 1;
  int64_t largest = std::numeric_limits<int64_t>::min();
  int64_t least = std::numeric_limits<int64_t>::max();
  elements.ForEach([&](int64_t x) {
    sum += static_cast<uint64_t>(x);
    product *= static_cast<uint64_t>(x);
    largest = std::max(largest, x);
    least = std::min(least, x);
  });
  switch (algorithm) {
    case Algorithm::kSum:
      return static_cast<int64_t>(sum);
    case Algorithm::kProd:
      return static_cast<int64_t>(product);
    case Algorithm::kMax:
      return largest;
    default:
      return least;
  }
}

template <typename T, typename Function>
AnyRun ReduceEach(const Axes& axes, const Function& function) {
  return [=](const AnyOperands& operands) {
    const T* src = operands.src<T>(0);
    T* dst = operands.dst<T>();
    ForEachOffset(std::span(axes.kept), 0, [&](int64_t offset) {
      *dst++ = static_cast<T>(function(Elements<T>(src + offset, axes.joined)));
    });
    return absl::OkStatus();
  };
}

}  // namespace

absl::StatusOr<AnyRun> MakeRun(const Reduction& kind, const Graph& graph, const Op& op) {
  const Value& src = graph.value(op.inputs[0]);
  const Axes axes = SplitAxes(src.shape, kind.axes);
  const Algorithm algorithm = kind.algorithm;
  const bool extreme = algorithm == Algorithm::kMax || algorithm == Algorithm::kMin;
  if (src.dtype == graph.value(op.output).dtype) {
    switch (src.dtype) {
      case DType::kFp32:
        return ReduceEach<float>(
            axes, [kind](const Elements<float>& each) { return ReduceFloats(kind, each); });
      case DType::kFp64:
        return ReduceEach<double>(
            axes, [kind](const Elements<double>& each) { return ReduceFloats(kind, each); });
      case DType::kInt64:
        if (!extreme && algorithm != Algorithm::kSum && algorithm != Algorithm::kProd) break;
        return ReduceEach<int64_t>(axes, [algorithm](const Elements<int64_t>& each) {
          return ReduceIntegers(algorithm, each);
        });
      case DType::kBool:
        if (!extreme) break;
        return ReduceEach<uint8_t>(axes, [algorithm](const Elements<uint8_t>& each) {
          bool any = false;
          bool all = true;
          each.ForEach([&](uint8_t x) {
            any |= x != 0;
            all &= x != 0;
          });
          return algorithm == Algorithm::kMax ? any : all;
        });
      default:
        break;
    }
  }
  return Unimplemented("this reduction of {}", Name(src.dtype));
}

}  // namespace lazynet::backend::reference
