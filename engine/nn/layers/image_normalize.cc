#include "engine/nn/layers/image_normalize.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/backend/constant_keys.h"
#include "engine/nn/layers/elementwise.h"
#include "engine/nn/number.h"
#include "engine/nn/promotion.h"

namespace lazynet::nn {
namespace {

using backend::ValueId;
using Algorithm = backend::Binary::Algorithm;

class ImageNormalize : public Layer {
 public:
  explicit ImageNormalize(AttributeReader& reader)
      : mean_(reader.Doubles("mean")), std_(reader.Doubles("std")) {
    if (reader.Has("scale")) scale_ = reader.Double("scale", 1);
    reader.Require(mean_.empty() || std_.empty() || mean_.size() == std_.size(),
                   fmt::format("arguments mean and std want equally many numbers, got {} and {}",
                               mean_.size(), std_.size()));
    for (const double std : std_) {
      reader.Require(std != 0, "argument std wants numbers other than 0, got 0");
    }
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs,
                                           DType dtype) const override {
    if (inputs[0] == DType::kBool) return InvalidArgument("wants numbers, got BOOL");
    return dtype;
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    const Shape& shape = inputs[0];
    if (shape.rank() < 3) {
      return InvalidArgument("wants a rank of at least 3, got shape {}", shape.ToString());
    }
    const size_t channels = std::max(mean_.size(), std_.size());
    const int64_t got = shape.dim(-3);
    if (channels > 0 && got != kUnknownDim && got != static_cast<int64_t>(channels)) {
      return InvalidArgument("wants {} channels, got shape {}", channels, shape.ToString());
    }
    return shape;
  }

  OutputValues Lower(Lowering& lowering) const override {
    const DType stored = lowering.graph().value(lowering.input(0)).dtype;
    const DType dtype = ArithmeticDType(lowering.dtype());
    ValueId x = InGraphDType(lowering, lowering.input(0), dtype);
    if (scale_) {
      x = AddBinary(lowering, Algorithm::kMul, x, AddNumber(lowering, *scale_, dtype));
    } else if (stored == DType::kUint8) {
      x = AddBinary(lowering, Algorithm::kDiv, x, AddNumber(lowering, 255, dtype));
    }
    if (!mean_.empty()) {
      x = AddBinary(lowering, Algorithm::kSub, x, AddChannels(lowering, mean_, dtype));
    }
    if (!std_.empty()) {
      x = AddBinary(lowering, Algorithm::kDiv, x, AddChannels(lowering, std_, dtype));
    }
    return x;
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("scale={}, mean={}, std={}", scale_ ? PythonFloat(*scale_) : "None",
                       ListOf(mean_), ListOf(std_));
  }

 private:
  static std::string ListOf(const std::vector<double>& numbers) {
    std::string list;
    for (const double number : numbers) list += (list.empty() ? "" : ", ") + PythonFloat(number);
    return "[" + list + "]";
  }

  // A number for each channel, [C, 1, 1].
  static ValueId AddChannels(Lowering& lowering, const std::vector<double>& numbers, DType dtype) {
    const Shape shape = {static_cast<int64_t>(numbers.size()), 1, 1};
    const auto make = [numbers, shape, dtype]() -> absl::StatusOr<Tensor> {
      ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, shape));
      for (size_t c = 0; c < numbers.size(); ++c) {
        if (dtype == DType::kFp64) {
          tensor.mutable_view().values<double>()[c] = numbers[c];
        } else {
          tensor.mutable_view().values<float>()[c] = static_cast<float>(numbers[c]);
        }
      }
      return tensor;
    };
    std::string key =
        fmt::format("{}channels {} {}", backend::kComputedKey, Name(dtype), ListOf(numbers));
    return lowering.graph().AddConstant(dtype, shape, {std::move(key), make});
  }

  std::optional<double> scale_;
  std::vector<double> mean_;
  std::vector<double> std_;
};

}  // namespace

std::unique_ptr<const Layer> MakeImageNormalize(AttributeReader& reader) {
  return std::make_unique<ImageNormalize>(reader);
}

}  // namespace lazynet::nn
