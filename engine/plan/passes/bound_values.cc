#include "engine/plan/passes/bound_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/plan/range_check.h"

namespace lazynet::plan {
namespace {

using backend::Eltwise;
using backend::Graph;
using backend::kNoValue;
using backend::Op;
using backend::ValueId;

// Far from the largest float, so that rounding on the way to it does not matter, nor that sums of
// Winograd's algorithm are up to 1e4 times as large.
constexpr double kSafeMagnitude = 1e30;

// A bound of the magnitude; nothing if it is not known that the value is finite.
using Bound = std::optional<double>;

// Whether a value has the range of FP32: it is one of the two dtypes that sums of FP32 products are
// stored in.
bool HasFp32Range(DType dtype) { return dtype == DType::kFp32 || dtype == DType::kBf16; }

// Whether it is right for numbers only.
bool LosesNan(const Op& op) {
  const auto* convolution = std::get_if<backend::Convolution>(&op.kind);
  if (convolution != nullptr && convolution->winograd) return true;
  return std::any_of(op.fused.begin(), op.fused.end(),
                     [](const Op& next) { return std::holds_alternative<Eltwise>(next.kind); });
}

// In several sums at once, which do not wait for each other.
float SumOfMagnitudes(std::span<const float> values) {
  constexpr size_t kSums = 32;
  std::array<float, kSums> sums{};
  size_t i = 0;
  for (; i + kSums <= values.size(); i += kSums) {
    for (size_t k = 0; k < kSums; ++k) sums[k] += std::fabs(values[i + k]);
  }
  for (; i < values.size(); ++i) sums[0] += std::fabs(values[i]);
  return std::accumulate(sums.begin(), sums.end(), 0.0f);
}

// The largest sum of magnitudes of a row of weights [rows, ...]; NaN if one is.
double LargestRow(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  const auto rows = static_cast<size_t>(tensor.shape().dim(0));
  const size_t row_size = values.size() / rows;
  double largest = 0;
  for (size_t row = 0; row < rows; ++row) {
    const float sum = SumOfMagnitudes(values.subspan(row * row_size, row_size));
    if (!(sum <= largest)) largest = sum;
    if (std::isnan(sum)) return sum;
  }
  return largest;
}

class Bounder {
 public:
  Bounder(Graph& graph, backend::PackedWeights& packed)
      : graph_(graph), packed_(packed), bounds_(graph.values.size()) {}

  absl::StatusOr<std::vector<CheckedValue>> Run() {
    std::vector<Op> ops;
    for (Op& op : graph_.ops) {
      next_op_ = ops.size();
      ASSIGN_OR_RETURN(const bool bounded, Visit(op));
      if (bounded) {
        ops.push_back(std::move(op));
        continue;
      }
      std::vector<Op> fused = std::move(op.fused);
      op.fused.clear();
      if (auto* convolution = std::get_if<backend::Convolution>(&op.kind)) {
        convolution->winograd = false;
      }
      ops.push_back(std::move(op));
      for (Op& next : fused) ops.push_back(std::move(next));
    }
    graph_.ops = std::move(ops);
    return std::move(checks_);
  }

 private:
  Bound& bound(ValueId id) { return bounds_[static_cast<size_t>(id)]; }

  // False if the op has to be taken apart.
  absl::StatusOr<bool> Visit(const Op& op) {
    const bool takes_weights = std::holds_alternative<backend::Convolution>(op.kind) ||
                               std::holds_alternative<backend::InnerProduct>(op.kind);
    const bool loses_nan = LosesNan(op);
    if (!takes_weights || !graph_.value(op.inputs[1]).is_constant() ||
        !HasFp32Range(graph_.value(op.output).dtype)) {
      bound(op.result()) = OfOther(op);
      return !loses_nan;
    }
    ASSIGN_OR_RETURN(const double gain, LargestSum(op.inputs[1]));
    ASSIGN_OR_RETURN(const double offset, LargestSum(op.inputs[2]));
    Bound result = OfProducts(op, gain, offset);
    if (!result && loses_nan) {
      for (const ValueId id : OperandsOf(op)) {
        if (id != kNoValue && !graph_.value(id).is_constant()) Check(id);
      }
      result = OfProducts(op, gain, offset);
    }
    bound(op.result()) = result;
    return result.has_value() || !loses_nan;
  }

  void Check(ValueId id) {
    if (bound(id) && *bound(id) <= kCheckedMagnitude) return;
    checks_.push_back({next_op_, id});
    bound(id) = kCheckedMagnitude;
  }

  // Of an op's sums of products, and what is fused to it.
  Bound OfProducts(const Op& op, double gain, double offset) {
    Bound made = bound(op.inputs[0]);
    if (made) *made = *made * gain + offset;
    ValueId made_id = op.output;
    for (const Op& next : op.fused) {
      // A sum must be finite itself, whatever a function makes of it.
      if (!made || !(*made <= kSafeMagnitude)) return std::nullopt;
      if (const auto* eltwise = std::get_if<Eltwise>(&next.kind)) {
        made = OfEltwise(*eltwise, made);
      } else {
        for (const ValueId id : next.inputs) {
          if (id != made_id && made) made = bound(id) ? Bound(*made + *bound(id)) : std::nullopt;
        }
      }
      made_id = next.output;
    }
    return made && *made <= kSafeMagnitude ? made : std::nullopt;
  }

  static Bound OfEltwise(const Eltwise& op, Bound src) {
    if (!src) return src;
    switch (op.algorithm) {
      case Eltwise::Algorithm::kRelu:
      case Eltwise::Algorithm::kSilu:
      case Eltwise::Algorithm::kGeluErf:
      case Eltwise::Algorithm::kGeluTanh:
      case Eltwise::Algorithm::kHardswish:
      case Eltwise::Algorithm::kAbs:
        return src;
      case Eltwise::Algorithm::kClamp:
        return std::max(std::fabs(op.alpha), std::fabs(op.beta));
      case Eltwise::Algorithm::kLeakyRelu:
        return *src * std::max(1.0, std::fabs(op.alpha));
      case Eltwise::Algorithm::kLinear:
        return *src * std::fabs(op.alpha) + std::fabs(op.beta);
      case Eltwise::Algorithm::kSigmoid:
      case Eltwise::Algorithm::kHardsigmoid:
      case Eltwise::Algorithm::kTanh:
        return 1.0;
      default:
        return std::nullopt;
    }
  }

  // The largest bound of all inputs.
  Bound OfLargestInput(const Op& op) {
    double largest = 0;
    for (const ValueId id : op.inputs) {
      if (id == kNoValue) continue;
      if (!bound(id)) return std::nullopt;
      largest = std::max(largest, *bound(id));
    }
    return largest;
  }

  Bound OfOther(const Op& op) {
    if (!HasFp32Range(graph_.value(op.result()).dtype) || !op.fused.empty()) return std::nullopt;
    Bound result;
    if (const auto* eltwise = std::get_if<Eltwise>(&op.kind)) {
      result = OfEltwise(*eltwise, bound(op.inputs[0]));
    } else if (const auto* binary = std::get_if<backend::Binary>(&op.kind)) {
      const Bound a = bound(op.inputs[0]), b = bound(op.inputs[1]);
      if (!a || !b) return std::nullopt;
      if (binary->algorithm == backend::Binary::Algorithm::kAdd ||
          binary->algorithm == backend::Binary::Algorithm::kSub) {
        result = *a + *b;
      } else if (binary->algorithm == backend::Binary::Algorithm::kMul) {
        result = *a * *b;
      }
    } else if (std::holds_alternative<backend::Softmax>(op.kind)) {
      if (bound(op.inputs[0]) && !std::get<backend::Softmax>(op.kind).log) result = 1.0;
    } else if (const auto* pad = std::get_if<backend::Pad>(&op.kind)) {
      result = OfLargestInput(op);
      if (result) result = std::max(*result, std::fabs(pad->value));
    } else if (std::holds_alternative<backend::Pooling>(op.kind)) {
      const auto& pooling = std::get<backend::Pooling>(op.kind);
      if (!pooling.divisor_override) result = OfLargestInput(op);
    } else if (std::holds_alternative<backend::AdaptiveAveragePooling>(op.kind) ||
               std::holds_alternative<backend::AdaptiveMaxPooling>(op.kind) ||
               std::holds_alternative<backend::Concat>(op.kind) ||
               std::holds_alternative<backend::Permute>(op.kind) ||
               std::holds_alternative<backend::Slice>(op.kind) ||
               std::holds_alternative<backend::Expand>(op.kind) ||
               std::holds_alternative<backend::Reshape>(op.kind) ||
               std::holds_alternative<backend::Cast>(op.kind)) {
      result = OfLargestInput(op);
    }
    return result && *result <= kSafeMagnitude ? result : std::nullopt;
  }

  // Of a constant: the largest sum of magnitudes of a row; of one without, 0.
  absl::StatusOr<double> LargestSum(ValueId id) {
    if (id == kNoValue) return 0.0;
    const backend::Constant& constant = graph_.constant(id);
    return packed_.GetOrMeasure(constant.key + "/largest row", [&]() -> absl::StatusOr<double> {
      // Folded weights are made again when they are packed: kept till then, those of the whole
      // network would be in memory twice.
      ASSIGN_OR_RETURN(const Tensor tensor, constant.make());
      return LargestRow(tensor);
    });
  }

  Graph& graph_;
  backend::PackedWeights& packed_;
  std::vector<Bound> bounds_;  // per value
  std::vector<CheckedValue> checks_;
  size_t next_op_ = 0;  // where the op that is looked at will be
};

}  // namespace

absl::StatusOr<std::vector<CheckedValue>> BoundValues(Graph& graph,
                                                      backend::PackedWeights& packed) {
  if (std::none_of(graph.ops.begin(), graph.ops.end(), LosesNan)) {
    return std::vector<CheckedValue>();
  }
  return Bounder(graph, packed).Run();
}

}  // namespace lazynet::plan
