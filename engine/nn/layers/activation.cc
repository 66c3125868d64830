#include "engine/nn/layers/activation.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "engine/nn/layers/elementwise.h"
#include "engine/nn/layers/type_table.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::Eltwise;
using Algorithm = Eltwise::Algorithm;

using backend::ValueId;
using BinaryAlgorithm = backend::Binary::Algorithm;

// What PyTorch's function does with integers; BOOL counts as one only where they become floats.
enum class Integers { kRefused, kKept, kToFloating };

class Activation : public Layer {
 public:
  Activation(Eltwise op, std::string arguments, Integers integers = Integers::kRefused)
      : op_(op), arguments_(std::move(arguments)), integers_(integers) {}

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    if (IsFloating(inputs[0])) return inputs[0];
    if (integers_ == Integers::kRefused) {
      return InvalidArgument("wants a floating dtype, got {}", Name(inputs[0]));
    }
    if (integers_ == Integers::kKept && inputs[0] == DType::kBool) {
      return InvalidArgument("wants numbers, got BOOL");
    }
    if (op_.algorithm == Algorithm::kClamp && inputs[0] == DType::kUint8 && op_.alpha < 0) {
      return InvalidArgument("wants limits of at least 0 for UINT8, got {}",
                             PythonNumber(op_.alpha));
    }
    if (integers_ != Integers::kKept) return ToFloating(inputs[0]);
    RETURN_IF_ERROR(CheckOrdered(inputs, inputs[0]));
    for (const double number : {op_.alpha, op_.beta}) {
      RETURN_IF_ERROR(CheckAmong(inputs[0], number));
    }
    return inputs[0];
  }
  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return inputs[0];
  }
  OutputValues Lower(Lowering& lowering) const override {
    const ValueId src = lowering.input(0);
    const DType dtype = lowering.graph().value(src).dtype;
    if (IsFloating(dtype) || integers_ == Integers::kToFloating) {
      return Compute(lowering, InGraphDType(lowering, src, ToFloating(dtype)));
    }
    return InGraphDType(lowering, OfIntegers(lowering, src, dtype), dtype);
  }
  std::string Arguments(const Sizes&) const override { return arguments_; }

 protected:
  // Of a floating value.
  virtual ValueId Compute(Lowering& lowering, ValueId src) const {
    return AddEltwise(lowering, op_, src);
  }

 private:
  // Those that keep integers are limits and a threshold.
  ValueId OfIntegers(Lowering& lowering, ValueId src, DType dtype) const {
    if (op_.algorithm == Algorithm::kRelu) return AddClamp(lowering, src, dtype, 0, std::nullopt);
    if (op_.algorithm == Algorithm::kClamp) {
      return AddClamp(lowering, src, dtype, op_.alpha, op_.beta);
    }
    LAZYNET_CHECK(op_.algorithm == Algorithm::kThreshold);
    src = InGraphDType(lowering, src, ArithmeticDType(dtype));
    const ValueId above =
        AddBinary(lowering, BinaryAlgorithm::kGreater, src, AddNumber(lowering, op_.alpha, dtype));
    return AddWhere(lowering, above, src, AddNumber(lowering, op_.beta, dtype));
  }

  Eltwise op_;
  std::string arguments_;
  Integers integers_;
};

// x - tanh(x).
class Tanhshrink : public Activation {
 public:
  Tanhshrink() : Activation({Algorithm::kTanh}, "", Integers::kToFloating) {}

 protected:
  ValueId Compute(Lowering& lowering, ValueId src) const override {
    return AddBinary(lowering, BinaryAlgorithm::kSub, src, Activation::Compute(lowering, src));
  }
};

// ELU with the factors of its paper.
class Selu : public Activation {
 public:
  Selu()
      : Activation({.algorithm = Algorithm::kElu, .alpha = 1.6732632423543772848170429916717}, "") {
  }

 protected:
  ValueId Compute(Lowering& lowering, ValueId src) const override {
    return AddEltwise(lowering,
                      {.algorithm = Algorithm::kLinear, .alpha = 1.0507009873554804934193349852946},
                      Activation::Compute(lowering, src));
  }
};

using Factory = std::unique_ptr<const Layer> (*)(AttributeReader&);

template <Algorithm algorithm, Integers integers = Integers::kRefused>
std::unique_ptr<const Layer> Plain(AttributeReader&) {
  return std::make_unique<Activation>(Eltwise{.algorithm = algorithm}, "", integers);
}

template <typename T>
std::unique_ptr<const Layer> Of(AttributeReader&) {
  return std::make_unique<T>();
}

std::unique_ptr<const Layer> Relu6(AttributeReader&) {
  return std::make_unique<Activation>(
      Eltwise{.algorithm = Algorithm::kClamp, .alpha = 0, .beta = 6}, "", Integers::kKept);
}

std::unique_ptr<const Layer> Hardtanh(AttributeReader& reader) {
  const double low = reader.Double("min_val", -1);
  const double high = reader.Double("max_val", 1);
  reader.Require(low < high,
                 fmt::format("arguments min_val and max_val want min_val < max_val, got "
                             "{} and {}",
                             low, high));
  return std::make_unique<Activation>(
      Eltwise{.algorithm = Algorithm::kClamp, .alpha = low, .beta = high},
      fmt::format("min_val={}, max_val={}", PythonFloat(low), PythonFloat(high)), Integers::kKept);
}

std::unique_ptr<const Layer> LeakyRelu(AttributeReader& reader) {
  const double slope = reader.Double("negative_slope", 0.01);
  return std::make_unique<Activation>(Eltwise{.algorithm = Algorithm::kLeakyRelu, .alpha = slope},
                                      fmt::format("negative_slope={}", slope));
}

// Random in training; when serving the slope is the mean.
std::unique_ptr<const Layer> RRelu(AttributeReader& reader) {
  const double lower = reader.Double("lower", 1.0 / 8);
  const double upper = reader.Double("upper", 1.0 / 3);
  reader.Require(
      lower <= upper,
      fmt::format("arguments lower and upper want lower <= upper, got {} and {}", lower, upper));
  return std::make_unique<Activation>(
      Eltwise{.algorithm = Algorithm::kLeakyRelu, .alpha = (lower + upper) / 2},
      fmt::format("lower={}, upper={}", PythonFloat(lower), PythonFloat(upper)));
}

std::unique_ptr<const Layer> Elu(AttributeReader& reader) {
  const double alpha = reader.Double("alpha", 1);
  return std::make_unique<Activation>(Eltwise{.algorithm = Algorithm::kElu, .alpha = alpha},
                                      fmt::format("alpha={}", PythonFloat(alpha)));
}

std::unique_ptr<const Layer> Celu(AttributeReader& reader) {
  const double alpha = reader.Double("alpha", 1);
  reader.Require(alpha != 0, "argument alpha wants a number other than 0, got 0");
  return std::make_unique<Activation>(Eltwise{.algorithm = Algorithm::kCelu, .alpha = alpha},
                                      fmt::format("alpha={}", PythonFloat(alpha)));
}

std::unique_ptr<const Layer> Hardshrink(AttributeReader& reader) {
  const double lambd = reader.Double("lambd", 0.5);
  return std::make_unique<Activation>(Eltwise{.algorithm = Algorithm::kHardshrink, .alpha = lambd},
                                      PythonFloat(lambd));
}

std::unique_ptr<const Layer> Softshrink(AttributeReader& reader) {
  const double lambd = reader.Double("lambd", 0.5);
  reader.Require(lambd >= 0,
                 fmt::format("argument lambd wants a number of at least 0, got {}", lambd));
  return std::make_unique<Activation>(Eltwise{.algorithm = Algorithm::kSoftshrink, .alpha = lambd},
                                      PythonFloat(lambd));
}

std::unique_ptr<const Layer> Threshold(AttributeReader& reader) {
  reader.Require(reader.Has("threshold") && reader.Has("value"),
                 "arguments threshold and value are required");
  const double threshold = reader.Double("threshold", 0);
  const double value = reader.Double("value", 0);
  return std::make_unique<Activation>(
      Eltwise{.algorithm = Algorithm::kThreshold, .alpha = threshold, .beta = value},
      fmt::format("threshold={}, value={}", PythonNumber(threshold), PythonNumber(value)),
      Integers::kKept);
}

std::unique_ptr<const Layer> Gelu(AttributeReader& reader) {
  const std::string approximate = reader.String("approximate", "none");
  reader.Require(approximate == "none" || approximate == "tanh",
                 fmt::format("argument approximate wants none or tanh, got {}", approximate));
  const Algorithm algorithm = approximate == "tanh" ? Algorithm::kGeluTanh : Algorithm::kGeluErf;
  return std::make_unique<Activation>(Eltwise{.algorithm = algorithm},
                                      fmt::format("approximate={}", approximate));
}

std::unique_ptr<const Layer> Softplus(AttributeReader& reader) {
  const double beta = reader.Double("beta", 1);
  const double threshold = reader.Double("threshold", 20);
  reader.Require(beta != 0, "argument beta wants a number other than 0");
  return std::make_unique<Activation>(
      Eltwise{.algorithm = Algorithm::kSoftplus, .alpha = beta, .beta = threshold},
      fmt::format("beta={}, threshold={}", beta, threshold));
}

struct Entry {
  std::string_view type;
  Factory make;
};

constexpr std::array kEntries = {
    Entry{"CELU", Celu},
    Entry{"ELU", Elu},
    Entry{"GELU", Gelu},
    Entry{"Hardshrink", Hardshrink},
    Entry{"Hardsigmoid", Plain<Algorithm::kHardsigmoid>},
    Entry{"Hardswish", Plain<Algorithm::kHardswish>},
    Entry{"Hardtanh", Hardtanh},
    Entry{"LeakyReLU", LeakyRelu},
    Entry{"LogSigmoid", Plain<Algorithm::kLogSigmoid>},
    Entry{"Mish", Plain<Algorithm::kMish>},
    Entry{"RReLU", RRelu},
    Entry{"ReLU", Plain<Algorithm::kRelu, Integers::kKept>},
    Entry{"ReLU6", Relu6},
    Entry{"SELU", Of<Selu>},
    Entry{"SiLU", Plain<Algorithm::kSilu>},
    Entry{"Sigmoid", Plain<Algorithm::kSigmoid, Integers::kToFloating>},
    Entry{"Softplus", Softplus},
    Entry{"Softshrink", Softshrink},
    Entry{"Softsign", Plain<Algorithm::kSoftsign, Integers::kToFloating>},
    Entry{"Tanh", Plain<Algorithm::kTanh, Integers::kToFloating>},
    Entry{"Tanhshrink", Of<Tanhshrink>},
    Entry{"Threshold", Threshold},
};

}  // namespace

std::vector<std::string_view> ActivationTypes() { return TypesOf(kEntries); }

std::unique_ptr<const Layer> MakeActivation(std::string_view type, AttributeReader& reader) {
  return EntryOf(kEntries, type).make(reader);
}

}  // namespace lazynet::nn
