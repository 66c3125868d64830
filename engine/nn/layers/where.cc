#include "engine/nn/layers/where.h"

#include <optional>
#include <string>
#include <vector>

#include "engine/nn/broadcast.h"
#include "engine/nn/layers/elementwise.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;

absl::Status CheckCondition(std::string_view what, DType dtype) {
  if (dtype == DType::kBool || dtype == DType::kUint8) return absl::OkStatus();
  return InvalidArgument("wants a {} of BOOL or UINT8, got {}", what, Name(dtype));
}

class Where : public Layer {
 public:
  explicit Where(AttributeReader& reader) {
    if (reader.Has("input")) input_ = reader.Double("input", 0);
    if (reader.Has("other")) other_ = reader.Double("other", 0);
  }

  Arity arity() const override {
    const int inputs = 1 + (input_ ? 0 : 1) + (other_ ? 0 : 1);
    return {.least = inputs, .most = inputs};
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    RETURN_IF_ERROR(CheckCondition("condition", inputs[0]));
    const DType dtype = PromoteAll(inputs.subspan(1));
    if (!IsFloating(dtype)) {
      for (const auto& number : {input_, other_}) {
        if (number) RETURN_IF_ERROR(CheckAmong(dtype, *number));
      }
    }
    return dtype;
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(Shape shape, Broadcast(inputs));
    return shape;
  }

  OutputValues Lower(Lowering& lowering) const override {
    std::vector<DType> dtypes;
    for (int i = 1; i < lowering.input_count(); ++i) {
      dtypes.push_back(lowering.graph().value(lowering.input(i)).dtype);
    }
    const DType dtype = PromoteAll(dtypes);
    int next = 1;
    const auto source = [&](const std::optional<double>& number) {
      const ValueId id = number ? AddNumber(lowering, *number, dtype) : lowering.input(next++);
      return InGraphDType(lowering, id, dtype);
    };
    const ValueId condition = InGraphDType(lowering, lowering.input(0), DType::kBool);
    const ValueId input = source(input_);
    const ValueId other = source(other_);
    return AddWhere(lowering, condition, input, other);
  }

  std::string Arguments(const Sizes&) const override {
    std::string arguments;
    if (input_) arguments = "input=" + PythonNumber(*input_);
    if (other_) arguments += (input_ ? ", other=" : "other=") + PythonNumber(*other_);
    return arguments;
  }

 private:
  // Of what the definition or its graph calls the inputs behind the condition.
  DType PromoteAll(std::span<const DType> tensors) const {
    const bool integral = (!input_ || IsIntegral(*input_)) && (!other_ || IsIntegral(*other_));
    if (tensors.empty()) return integral ? DType::kInt64 : DType::kFp32;
    const DType dtype = Promote(tensors);
    return input_ || other_ ? PromoteWithNumber(dtype, integral) : dtype;
  }

  std::optional<double> input_;
  std::optional<double> other_;
};

class MaskedFill : public Layer {
 public:
  explicit MaskedFill(AttributeReader& reader) : value_(reader.Double("value", 0)) {
    reader.Require(reader.Has("value"), "argument value is required");
  }

  Arity arity() const override { return {.least = 2, .most = 2}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    RETURN_IF_ERROR(CheckCondition("mask", inputs[1]));
    RETURN_IF_ERROR(CheckAmong(inputs[0], value_));
    return inputs[0];
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(Shape shape, Broadcast(inputs));
    return shape;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const ValueId src = lowering.input(0);
    const DType dtype = lowering.graph().value(src).dtype;
    const ValueId mask = InGraphDType(lowering, lowering.input(1), DType::kBool);
    const ValueId value = InGraphDType(lowering, AddNumber(lowering, value_, dtype), dtype);
    return AddWhere(lowering, mask, value, src);
  }

  std::string Arguments(const Sizes&) const override { return "value=" + PythonNumber(value_); }

 private:
  double value_;
};

}  // namespace

std::unique_ptr<const Layer> MakeWhere(AttributeReader& reader) {
  return std::make_unique<Where>(reader);
}

std::unique_ptr<const Layer> MakeMaskedFill(AttributeReader& reader) {
  return std::make_unique<MaskedFill>(reader);
}

}  // namespace lazynet::nn
