#include "engine/nn/layers/unary.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "engine/nn/layers/elementwise.h"
#include "engine/nn/layers/type_table.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::Eltwise;
using backend::ValueId;
using Algorithm = Eltwise::Algorithm;
using BinaryAlgorithm = backend::Binary::Algorithm;

class Unary : public Layer {
 public:
  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return inputs[0];
  }
  std::string Arguments(const Sizes&) const override { return ""; }

 protected:
  static DType GraphDType(Lowering& lowering) {
    return lowering.graph().value(lowering.input(0)).dtype;
  }

  // The input in the dtype of arithmetic on `dtype`.
  static ValueId Input(Lowering& lowering, DType dtype) {
    return InGraphDType(lowering, lowering.input(0), ArithmeticDType(dtype));
  }
};

// A function with fractional results.
class Fractional : public Unary {
 public:
  explicit Fractional(Algorithm algorithm) : op_{algorithm} {}

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    return ToFloating(inputs[0]);
  }
  OutputValues Lower(Lowering& lowering) const override {
    return AddEltwise(lowering, op_, Input(lowering, ToFloating(GraphDType(lowering))));
  }

 private:
  Eltwise op_;
};

// Abs, Neg and Sign.
class OfSign : public Unary {
 public:
  explicit OfSign(Algorithm algorithm) : op_{algorithm} {}

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (inputs[0] == DType::kBool && op_.algorithm != Algorithm::kSign) {
      return InvalidArgument("wants numbers, got BOOL");
    }
    if (op_.algorithm != Algorithm::kNegate) RETURN_IF_ERROR(CheckOrdered(inputs, inputs[0]));
    return inputs[0];
  }
  OutputValues Lower(Lowering& lowering) const override {
    const DType dtype = GraphDType(lowering);
    if (dtype == DType::kBool) return lowering.input(0);
    return InGraphDType(lowering, AddEltwise(lowering, op_, Input(lowering, dtype)), dtype);
  }

 private:
  Eltwise op_;
};

// Floor, Ceil, Round and Trunc, which leave integers as they are.
class Rounding : public Unary {
 public:
  explicit Rounding(Algorithm algorithm) : op_{algorithm} {}

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (inputs[0] == DType::kBool) return InvalidArgument("wants numbers, got BOOL");
    return inputs[0];
  }
  OutputValues Lower(Lowering& lowering) const override {
    if (!IsFloating(GraphDType(lowering))) return lowering.input(0);
    return AddEltwise(lowering, op_, lowering.input(0));
  }

 private:
  Eltwise op_;
};

class Square : public Unary {
 public:
  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    return PromoteWithNumber(inputs[0], true);
  }
  OutputValues Lower(Lowering& lowering) const override {
    const DType dtype = PromoteWithNumber(GraphDType(lowering), true);
    const ValueId src = Input(lowering, dtype);
    return InGraphDType(lowering, AddBinary(lowering, BinaryAlgorithm::kMul, src, src), dtype);
  }
};

class IsNan : public Unary {
 public:
  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType>, DType) const override {
    return DType::kBool;
  }
  // Nothing else is different from itself.
  OutputValues Lower(Lowering& lowering) const override {
    const ValueId src = Input(lowering, GraphDType(lowering));
    return AddBinary(lowering, BinaryAlgorithm::kNotEqual, src, src);
  }
};

class LogicalNot : public Unary {
 public:
  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType>, DType) const override {
    return DType::kBool;
  }
  OutputValues Lower(Lowering& lowering) const override {
    const DType dtype = GraphDType(lowering);
    return AddBinary(lowering, BinaryAlgorithm::kEqual, Input(lowering, dtype),
                     AddNumber(lowering, 0, dtype));
  }
};

class Clamp : public Unary {
 public:
  explicit Clamp(AttributeReader& reader) {
    if (reader.Has("min")) min_ = reader.Double("min", 0);
    if (reader.Has("max")) max_ = reader.Double("max", 0);
    reader.Require(min_ || max_, "arguments min and max want at least one of them, got none");
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    const DType dtype = ResultOf(inputs[0]);
    RETURN_IF_ERROR(CheckOrdered(inputs, dtype));
    if (!IsFloating(dtype)) {
      for (const auto& limit : {min_, max_}) {
        if (limit) RETURN_IF_ERROR(CheckAmong(dtype, *limit));
      }
    }
    return dtype;
  }
  OutputValues Lower(Lowering& lowering) const override {
    const DType dtype = ResultOf(GraphDType(lowering));
    return InGraphDType(lowering, AddClamp(lowering, lowering.input(0), dtype, min_, max_), dtype);
  }
  std::string Arguments(const Sizes&) const override {
    std::string arguments;
    if (min_) arguments = "min=" + PythonNumber(*min_);
    if (max_) arguments += (min_ ? ", max=" : "max=") + PythonNumber(*max_);
    return arguments;
  }

 private:
  DType ResultOf(DType dtype) const {
    return PromoteWithNumber(dtype, (!min_ || IsIntegral(*min_)) && (!max_ || IsIntegral(*max_)));
  }

  std::optional<double> min_;
  std::optional<double> max_;
};

using Factory = std::unique_ptr<const Layer> (*)(AttributeReader&);

template <typename T, Algorithm... algorithm>
std::unique_ptr<const Layer> Plain(AttributeReader&) {
  return std::make_unique<T>(algorithm...);
}

struct Entry {
  std::string_view type;
  Factory make;
};

constexpr std::array kEntries = {
    Entry{"Abs", Plain<OfSign, Algorithm::kAbs>},
    Entry{"Atan", Plain<Fractional, Algorithm::kAtan>},
    Entry{"Ceil", Plain<Rounding, Algorithm::kCeil>},
    Entry{"Clamp",
          [](AttributeReader& reader) -> std::unique_ptr<const Layer> {
            return std::make_unique<Clamp>(reader);
          }},
    Entry{"Cos", Plain<Fractional, Algorithm::kCos>},
    Entry{"Erf", Plain<Fractional, Algorithm::kErf>},
    Entry{"Exp", Plain<Fractional, Algorithm::kExp>},
    Entry{"Expm1", Plain<Fractional, Algorithm::kExpm1>},
    Entry{"Floor", Plain<Rounding, Algorithm::kFloor>},
    Entry{"Isnan", Plain<IsNan>},
    Entry{"Log", Plain<Fractional, Algorithm::kLog>},
    Entry{"Log10", Plain<Fractional, Algorithm::kLog10>},
    Entry{"Log1p", Plain<Fractional, Algorithm::kLog1p>},
    Entry{"Log2", Plain<Fractional, Algorithm::kLog2>},
    Entry{"LogicalNot", Plain<LogicalNot>},
    Entry{"Neg", Plain<OfSign, Algorithm::kNegate>},
    Entry{"Reciprocal", Plain<Fractional, Algorithm::kReciprocal>},
    Entry{"Round", Plain<Rounding, Algorithm::kRound>},
    Entry{"Rsqrt", Plain<Fractional, Algorithm::kRsqrt>},
    Entry{"Sign", Plain<OfSign, Algorithm::kSign>},
    Entry{"Sin", Plain<Fractional, Algorithm::kSin>},
    Entry{"Sqrt", Plain<Fractional, Algorithm::kSqrt>},
    Entry{"Square", Plain<Square>},
    Entry{"Tan", Plain<Fractional, Algorithm::kTan>},
    Entry{"Trunc", Plain<Rounding, Algorithm::kTrunc>},
};

}  // namespace

std::vector<std::string_view> UnaryTypes() { return TypesOf(kEntries); }

std::unique_ptr<const Layer> MakeUnary(std::string_view type, AttributeReader& reader) {
  return EntryOf(kEntries, type).make(reader);
}

}  // namespace lazynet::nn
