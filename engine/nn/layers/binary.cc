#include "engine/nn/layers/binary.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/broadcast.h"
#include "engine/nn/layers/elementwise.h"
#include "engine/nn/layers/type_table.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::Eltwise;
using backend::ValueId;
using Algorithm = backend::Binary::Algorithm;

// Which dtypes a function takes, and what it makes of them.
enum class Family {
  kAny,         // the promoted dtype
  kNoBool,      // the same, BOOL refused
  kDifference,  // the same, a BOOL among the inputs refused
  kQuotient,    // integers become FP32
  kComparison,  // BOOL
  kLogic,       // BOOL of what is not 0
};

struct Function {
  Algorithm algorithm;
  Family family;
};

// What all of them share: a list of inputs or an input with a number, on either side.
class BinaryLayer : public Layer {
 public:
  BinaryLayer(Function function, int most) : function_(function), most_(most) {}

  Arity arity() const override {
    return number_ ? Arity{.least = 1, .most = 1} : Arity{.least = 2, .most = most_};
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (function_.family == Family::kLogic) return DType::kBool;
    DType dtype = Promote(inputs);
    if (number_) dtype = PromoteWithNumber(dtype, IsIntegral(*number_));
    const bool any_bool = std::find(inputs.begin(), inputs.end(), DType::kBool) != inputs.end();
    if ((function_.family == Family::kNoBool && dtype == DType::kBool) ||
        (function_.family == Family::kDifference && any_bool)) {
      return InvalidArgument("wants numbers, got BOOL");
    }
    RETURN_IF_ERROR(CheckDType(dtype));
    if (IsOrdered()) RETURN_IF_ERROR(CheckOrdered(inputs, Joined(dtype)));
    return function_.family == Family::kComparison ? DType::kBool : Joined(dtype);
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    ASSIGN_OR_RETURN(Shape shape, Broadcast(inputs));
    return shape;
  }

  OutputValues Lower(Lowering& lowering) const override {
    ValueId result = lowering.input(0);
    if (number_) {
      const DType dtype =
          Joined(PromoteWithNumber(DTypeOf(lowering, result), IsIntegral(*number_)));
      const ValueId number = AddNumber(lowering, *number_, dtype);
      result = number_first_ ? Join(lowering, number, result, dtype)
                             : Join(lowering, result, number, dtype);
    }
    for (int i = 1; i < lowering.input_count(); ++i) {
      const ValueId next = lowering.input(i);
      const DType dtype = Joined(Promote(DTypeOf(lowering, result), DTypeOf(lowering, next)));
      result = Join(lowering, result, next, dtype);
    }
    return result;
  }

  std::string Arguments(const Sizes&) const override {
    return number_ ? fmt::format("other={}", PythonNumber(*number_)) : "";
  }

 protected:
  void ReadNumber(AttributeReader& reader, std::string_view name) {
    if (reader.Has(name)) number_ = reader.Double(name, 0);
  }

  virtual absl::Status CheckDType(DType) const { return absl::OkStatus(); }

  // The function of two values of the dtype of arithmetic on `dtype`, which the inputs are promoted
  // to; a comparison gives BOOL.
  virtual ValueId Compute(Lowering& lowering, ValueId a, ValueId b, DType) const {
    return AddBinary(lowering, function_.algorithm, a, b);
  }

  const Function function_;
  std::optional<double> number_;
  bool number_first_ = false;

 private:
  // Whether it matters which of two integers is less, or what sign they have.
  bool IsOrdered() const {
    switch (function_.algorithm) {
      case Algorithm::kAdd:
      case Algorithm::kSub:
      case Algorithm::kMul:
      case Algorithm::kEqual:
      case Algorithm::kNotEqual:
        return false;
      case Algorithm::kPow:  // the exponent's sign
        return !number_ || number_first_;
      default:
        return true;
    }
  }

  static DType DTypeOf(Lowering& lowering, ValueId id) { return lowering.graph().value(id).dtype; }

  DType Joined(DType promoted) const {
    if (function_.family == Family::kLogic) return DType::kBool;
    return function_.family == Family::kQuotient ? ToFloating(promoted) : promoted;
  }

  ValueId Join(Lowering& lowering, ValueId a, ValueId b, DType dtype) const {
    const DType arithmetic = ArithmeticDType(dtype);
    const ValueId result = Compute(lowering, InGraphDType(lowering, a, arithmetic),
                                   InGraphDType(lowering, b, arithmetic), dtype);
    return function_.family == Family::kComparison ? result : InGraphDType(lowering, result, dtype);
  }

  int most_;
};

class WithOther : public BinaryLayer {
 public:
  WithOther(Function function, AttributeReader& reader, int most = 2)
      : BinaryLayer(function, most) {
    if (function.family != Family::kLogic) ReadNumber(reader, "other");
  }
};

// a + alpha b, a - alpha b.
class Sum : public WithOther {
 public:
  Sum(Function function, AttributeReader& reader)
      : WithOther(function, reader, Most(function, reader)), alpha_(reader.Double("alpha", 1)) {}

  std::string Arguments(const Sizes& sizes) const override {
    std::string arguments = WithOther::Arguments(sizes);
    if (alpha_ == 1) return arguments;
    return arguments + (arguments.empty() ? "" : ", ") + "alpha=" + PythonNumber(alpha_);
  }

 protected:
  absl::Status CheckDType(DType dtype) const override {
    if (IsFloating(dtype) || IsIntegral(alpha_)) return absl::OkStatus();
    return InvalidArgument("wants an integral alpha for {}, got {}", Name(dtype), alpha_);
  }

  ValueId Compute(Lowering& lowering, ValueId a, ValueId b, DType dtype) const override {
    if (alpha_ != 1) {
      b = AddBinary(lowering, Algorithm::kMul, b, AddNumber(lowering, alpha_, dtype));
    }
    return AddBinary(lowering, function_.algorithm, a, b);
  }

 private:
  // It is not said what alpha means to a third input.
  static int Most(Function function, const AttributeReader& reader) {
    return function.algorithm == Algorithm::kAdd && !reader.Has("alpha") ? -1 : 2;
  }

  double alpha_;
};

class Div : public WithOther {
 public:
  Div(AttributeReader& reader, const std::string& mode)
      : WithOther(FunctionOf(mode), reader), mode_(mode) {
    reader.Require(mode == "none" || mode == "trunc" || mode == "floor",
                   fmt::format("argument rounding_mode wants none, trunc or floor, got {}", mode));
  }

  std::string Arguments(const Sizes& sizes) const override {
    std::string arguments = WithOther::Arguments(sizes);
    if (mode_ == "none") return arguments;
    return fmt::format("{}{}rounding_mode='{}'", arguments, arguments.empty() ? "" : ", ", mode_);
  }

 protected:
  ValueId Compute(Lowering& lowering, ValueId a, ValueId b, DType dtype) const override {
    const ValueId quotient = AddBinary(lowering, function_.algorithm, a, b);
    if (mode_ != "trunc" || !IsFloating(dtype)) return quotient;
    return AddEltwise(lowering, {Eltwise::Algorithm::kTrunc}, quotient);
  }

 private:
  static Function FunctionOf(const std::string& mode) {
    if (mode == "floor") return {Algorithm::kFloorDivide, Family::kNoBool};
    return {Algorithm::kDiv, mode == "trunc" ? Family::kNoBool : Family::kQuotient};
  }

  std::string mode_;
};

class Pow : public BinaryLayer {
 public:
  explicit Pow(AttributeReader& reader) : BinaryLayer({Algorithm::kPow, Family::kNoBool}, 2) {
    reader.Require(!reader.Has("exponent") || !reader.Has("self"),
                   "arguments exponent and self want one of them, got both");
    number_first_ = reader.Has("self");
    ReadNumber(reader, "exponent");
    ReadNumber(reader, "self");
  }

  std::string Arguments(const Sizes&) const override {
    if (!number_) return "";
    return fmt::format("{}={}", number_first_ ? "self" : "exponent", PythonNumber(*number_));
  }

 protected:
  absl::Status CheckDType(DType dtype) const override {
    if (IsFloating(dtype) || !number_ || number_first_ || *number_ >= 0) return absl::OkStatus();
    return InvalidArgument("wants an exponent of at least 0 for {}, got {}", Name(dtype),
                           PythonNumber(*number_));
  }

  // The exponents that PyTorch treats apart too.
  ValueId Compute(Lowering& lowering, ValueId a, ValueId b, DType dtype) const override {
    if (number_ && !number_first_) {
      const double exponent = *number_;
      if (exponent == 1) return a;
      if (exponent == 2) return Square(lowering, a);
      if (exponent == 3) return AddBinary(lowering, Algorithm::kMul, Square(lowering, a), a);
      if (IsFloating(dtype)) {
        using enum Eltwise::Algorithm;
        if (exponent == 0.5) return AddEltwise(lowering, {kSqrt}, a);
        if (exponent == -0.5) return AddEltwise(lowering, {kRsqrt}, a);
        if (exponent == -1) return AddEltwise(lowering, {kReciprocal}, a);
        if (exponent == -2) return AddEltwise(lowering, {kReciprocal}, Square(lowering, a));
      }
    }
    return AddBinary(lowering, Algorithm::kPow, a, b);
  }

 private:
  static ValueId Square(Lowering& lowering, ValueId a) {
    return AddBinary(lowering, Algorithm::kMul, a, a);
  }
};

struct Entry {
  std::string_view type;
  Function function;
};

constexpr std::array kEntries = {
    Entry{"Add", {Algorithm::kAdd, Family::kAny}},
    Entry{"Div", {Algorithm::kDiv, Family::kQuotient}},
    Entry{"Eq", {Algorithm::kEqual, Family::kComparison}},
    Entry{"FloorDivide", {Algorithm::kFloorDivide, Family::kNoBool}},
    Entry{"Fmod", {Algorithm::kFmod, Family::kNoBool}},
    Entry{"Ge", {Algorithm::kGreaterOrEqual, Family::kComparison}},
    Entry{"Gt", {Algorithm::kGreater, Family::kComparison}},
    Entry{"Le", {Algorithm::kLessOrEqual, Family::kComparison}},
    Entry{"LogicalAnd", {Algorithm::kAnd, Family::kLogic}},
    Entry{"LogicalOr", {Algorithm::kOr, Family::kLogic}},
    Entry{"LogicalXor", {Algorithm::kXor, Family::kLogic}},
    Entry{"Lt", {Algorithm::kLess, Family::kComparison}},
    Entry{"Maximum", {Algorithm::kMax, Family::kAny}},
    Entry{"Minimum", {Algorithm::kMin, Family::kAny}},
    Entry{"Mul", {Algorithm::kMul, Family::kAny}},
    Entry{"Ne", {Algorithm::kNotEqual, Family::kComparison}},
    Entry{"Pow", {Algorithm::kPow, Family::kNoBool}},
    Entry{"Remainder", {Algorithm::kRemainder, Family::kNoBool}},
    Entry{"Sub", {Algorithm::kSub, Family::kDifference}},
};

}  // namespace

std::vector<std::string_view> BinaryTypes() { return TypesOf(kEntries); }

std::unique_ptr<const Layer> MakeBinary(std::string_view type, AttributeReader& reader) {
  const Function function = EntryOf(kEntries, type).function;
  switch (function.algorithm) {
    case Algorithm::kAdd:
    case Algorithm::kSub:
      return std::make_unique<Sum>(function, reader);
    case Algorithm::kDiv:
      return std::make_unique<Div>(reader, reader.String("rounding_mode", "none"));
    case Algorithm::kPow:
      return std::make_unique<Pow>(reader);
    default:
      return std::make_unique<WithOther>(function, reader,
                                         function.algorithm == Algorithm::kMul ? -1 : 2);
  }
}

}  // namespace lazynet::nn
