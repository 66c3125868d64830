#include "engine/nn/layers/reduction.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/axes.h"
#include "engine/nn/layers/elementwise.h"
#include "engine/nn/layers/type_table.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::ArgReduction;
using backend::Reduction;
using backend::ValueId;
using Algorithm = Reduction::Algorithm;

// Which dtypes a reduction takes, and what it makes of them.
enum class Family {
  kSum,         // INT64 of BOOL and integers
  kExtreme,     // the same dtype
  kFloating,    // floating ones only
  kFractional,  // FP32 of BOOL and integers
  kTruth,       // BOOL, and UINT8 of UINT8
};

struct Function {
  std::string_view type;
  Algorithm algorithm;
  Family family;
};

constexpr std::array kFunctions = {
    Function{"All", Algorithm::kMin, Family::kTruth},
    Function{"Amax", Algorithm::kMax, Family::kExtreme},
    Function{"Amin", Algorithm::kMin, Family::kExtreme},
    Function{"Any", Algorithm::kMax, Family::kTruth},
    Function{"Logsumexp", Algorithm::kLogSumExp, Family::kFractional},
    Function{"Mean", Algorithm::kMean, Family::kFloating},
    Function{"Norm", Algorithm::kNorm, Family::kFloating},
    Function{"Prod", Algorithm::kProd, Family::kSum},
    Function{"Std", Algorithm::kVariance, Family::kFloating},
    Function{"Sum", Algorithm::kSum, Family::kSum},
    Function{"Var", Algorithm::kVariance, Family::kFloating},
};

std::string ListOf(std::span<const int64_t> dims) {
  std::string list;
  for (const int64_t dim : dims) list += (list.empty() ? "" : ", ") + fmt::format("{}", dim);
  return "[" + list + "]";
}

absl::Status CheckNotEmpty(const Shape& shape, const backend::AxisVector& axes) {
  for (const int64_t axis : axes) {
    if (shape.dim(static_cast<int>(axis)) == 0) {
      return InvalidArgument("wants elements to choose from, got shape {}", shape.ToString());
    }
  }
  return absl::OkStatus();
}

class ReductionLayer : public Layer {
 public:
  ReductionLayer(const Function& function, AttributeReader& reader)
      : function_(function),
        op_{.algorithm = function.algorithm},
        root_(function.type == "Std"),
        dims_(reader.Axes("dim")),
        keepdim_(reader.Bool("keepdim", false)) {
    if (function.algorithm == Algorithm::kVariance) op_.correction = reader.Int("correction", 1);
    if (function.algorithm == Algorithm::kNorm) op_.p = reader.Double("p", 2);
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (function_.family == Family::kFloating && !IsFloating(inputs[0])) {
      return InvalidArgument("wants a floating dtype, got {}", Name(inputs[0]));
    }
    if (function_.family == Family::kExtreme) RETURN_IF_ERROR(CheckOrdered(inputs, inputs[0]));
    return ResultOf(inputs[0]);
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(const backend::AxisVector axes, AxesOf(dims_, inputs[0]));
    const bool negative_norm = op_.algorithm == Algorithm::kNorm && op_.p < 0;
    if (function_.family == Family::kExtreme || negative_norm) {
      RETURN_IF_ERROR(CheckNotEmpty(inputs[0], axes));
    }
    return ReducedShape(inputs[0], axes, keepdim_);
  }

  OutputValues Lower(Lowering& lowering) const override {
    const backend::Value input = lowering.graph().value(lowering.input(0));
    const DType dtype = ResultOf(input.dtype);
    const DType computed =
        function_.family == Family::kTruth ? DType::kBool : ArithmeticDType(dtype);
    Reduction op = op_;
    op.axes = *AxesOf(dims_, input.shape);
    const ValueId src = InGraphDType(lowering, lowering.input(0), computed);
    ValueId result = lowering.Add(op, {src}, ReducedShape(input.shape, op.axes, keepdim_));
    if (root_) result = AddEltwise(lowering, {backend::Eltwise::Algorithm::kSqrt}, result);
    return InGraphDType(lowering, result, dtype);
  }

  std::string Arguments(const Sizes&) const override {
    std::string arguments = fmt::format("dim={}, keepdim={}", ListOf(dims_), PythonBool(keepdim_));
    if (op_.algorithm == Algorithm::kVariance) {
      arguments += fmt::format(", correction={}", op_.correction);
    }
    return op_.algorithm == Algorithm::kNorm
               ? fmt::format("p={}, {}", PythonNumber(op_.p), arguments)
               : arguments;
  }

 private:
  DType ResultOf(DType dtype) const {
    switch (function_.family) {
      case Family::kSum:
        return IsFloating(dtype) ? dtype : DType::kInt64;
      case Family::kFractional:
        return ToFloating(dtype);
      case Family::kTruth:
        return dtype == DType::kUint8 ? dtype : DType::kBool;
      default:
        return dtype;
    }
  }

  const Function function_;
  Reduction op_;
  bool root_;
  std::vector<int64_t> dims_;
  bool keepdim_;
};

// Max, Min, Argmax and Argmin.
class ExtremeLayer : public Layer {
 public:
  ExtremeLayer(bool largest, bool with_values, AttributeReader& reader)
      : largest_(largest), with_values_(with_values), dim_(reader.OptionalInt("dim")) {
    if (with_values) reader.Require(dim_.has_value(), "argument dim is required");
    keepdim_ = reader.Bool("keepdim", false);
  }

  std::vector<std::string> output_names() const override {
    if (with_values_) return {"values", "indices"};
    return {"output"};
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    RETURN_IF_ERROR(CheckOrdered(inputs, inputs[0]));
    if (with_values_) return OutputDTypes{inputs[0], DType::kInt64};
    if (inputs[0] == DType::kBool) return InvalidArgument("wants numbers, got BOOL");
    return DType::kInt64;
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(const backend::AxisVector axes, AxesOf(Dims(), inputs[0]));
    RETURN_IF_ERROR(CheckNotEmpty(inputs[0], axes));
    const Shape shape = ReducedShape(inputs[0], axes, keepdim_);
    if (with_values_) return OutputShapes{shape, shape};
    return shape;
  }

  OutputValues Lower(Lowering& lowering) const override {
    ValueId src = lowering.input(0);
    const Shape shape = lowering.shape(src);
    const DType dtype = lowering.graph().value(src).dtype;
    const backend::AxisVector axes = *AxesOf(Dims(), shape);
    const Shape reduced = ReducedShape(shape, axes, keepdim_);
    const DType computed = dtype == DType::kBool ? DType::kInt64 : ArithmeticDType(dtype);
    src = InGraphDType(lowering, src, computed);

    ValueId flat = src;
    int axis = axes.empty() ? 0 : static_cast<int>(axes[0]);
    if (!dim_ || shape.rank() == 0) {
      flat = lowering.Reshape(src, Shape{shape.num_elements()});
      axis = 0;
    }
    using Extreme = ArgReduction::Algorithm;
    const ValueId indices =
        lowering.Add(ArgReduction{largest_ ? Extreme::kMax : Extreme::kMin, axis}, {flat}, reduced,
                     DType::kInt64);
    if (!with_values_) return indices;
    const ValueId values = lowering.Add(
        Reduction{.algorithm = largest_ ? Algorithm::kMax : Algorithm::kMin, .axes = axes}, {src},
        reduced);
    return OutputValues{InGraphDType(lowering, values, dtype), indices};
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dim={}, keepdim={}", dim_ ? fmt::format("{}", *dim_) : "None",
                       PythonBool(keepdim_));
  }

 private:
  std::vector<int64_t> Dims() const {
    return dim_ ? std::vector<int64_t>{*dim_} : std::vector<int64_t>{};
  }

  bool largest_;
  bool with_values_;
  std::optional<int64_t> dim_;
  bool keepdim_ = false;
};

constexpr std::array<std::string_view, 4> kExtremes = {"Argmax", "Argmin", "Max", "Min"};

}  // namespace

std::vector<std::string_view> ReductionTypes() {
  std::vector<std::string_view> types = TypesOf(kFunctions);
  types.insert(types.end(), kExtremes.begin(), kExtremes.end());
  return types;
}

std::unique_ptr<const Layer> MakeReduction(std::string_view type, AttributeReader& reader) {
  const bool largest = type == "Max" || type == "Argmax";
  if (std::find(kExtremes.begin(), kExtremes.end(), type) != kExtremes.end()) {
    return std::make_unique<ExtremeLayer>(largest, type == "Max" || type == "Min", reader);
  }
  return std::make_unique<ReductionLayer>(EntryOf(kFunctions, type), reader);
}

}  // namespace lazynet::nn
