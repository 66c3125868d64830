#include "engine/nn/layers/where.h"

#include <cmath>
#include <limits>
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
    return PromoteAll(inputs.subspan(1));
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

// Of what a dtype holds: floats are infinite beyond it, but a number in a definition is not.
bool Holds(DType dtype, double value) {
  const double whole = std::trunc(value);
  switch (dtype) {
    case DType::kBool:
    case DType::kFp64:
      return true;
    case DType::kFp32:
      return !std::isfinite(value) || std::abs(value) <= double{std::numeric_limits<float>::max()};
    case DType::kBf16:
      return !std::isfinite(value) || std::abs(value) <= 0x1.FEp127;
    case DType::kFp16:
      return !std::isfinite(value) || std::abs(value) <= 65504;
    case DType::kInt8:
      return whole >= -0x1p7 && whole < 0x1p7;
    case DType::kInt16:
      return whole >= -0x1p15 && whole < 0x1p15;
    case DType::kInt32:
      return whole >= -0x1p31 && whole < 0x1p31;
    case DType::kInt64:
      return whole >= -0x1p63 && whole < 0x1p63;
    case DType::kUint8:
      return whole > -0x1p8 && whole < 0x1p8;  // negative ones wrap in PyTorch
    case DType::kUint16:
      return whole >= 0 && whole < 0x1p16;
    case DType::kUint32:
      return whole >= 0 && whole < 0x1p32;
    case DType::kUint64:
      return whole >= 0 && whole < 0x1p63;
  }
  return false;
}

class MaskedFill : public Layer {
 public:
  explicit MaskedFill(AttributeReader& reader) : value_(reader.Double("value", 0)) {
    reader.Require(reader.Has("value"), "argument value is required");
  }

  Arity arity() const override { return {.least = 2, .most = 2}; }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    RETURN_IF_ERROR(CheckCondition("mask", inputs[1]));
    if (!Holds(inputs[0], value_)) {
      return InvalidArgument("wants a value that {} holds, got {}", Name(inputs[0]),
                             PythonNumber(value_));
    }
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
