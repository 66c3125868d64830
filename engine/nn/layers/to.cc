#include "engine/nn/layers/to.h"

#include <string>

namespace lazynet::nn {
namespace {

class To : public Layer {
 public:
  explicit To(AttributeReader& reader) {
    const std::string name = reader.String("dtype", "");
    const std::optional<DType> dtype = ParseDType(name);
    reader.Require(dtype && IsFloating(*dtype),
                   fmt::format("argument dtype wants FP32, FP64, BF16 or FP16, got {}",
                               name.empty() ? "none" : name));
    dtype_ = dtype.value_or(DType::kFp32);
  }

  absl::StatusOr<OutputDTypes> InferDTypes(std::span<const DType> inputs, DType) const override {
    const DType from = inputs[0];
    if (IsFloating(from) || from == DType::kInt32 || from == DType::kInt64 ||
        from == DType::kUint8 || from == DType::kBool) {
      return dtype_;
    }
    return InvalidArgument("wants a floating dtype, INT32, INT64, UINT8 or BOOL, got {}",
                           Name(from));
  }

  absl::StatusOr<OutputShapes> Infer(std::span<const Shape> inputs, Sizes&) const override {
    return inputs[0];
  }

  // Integers go to 16 bits by way of FP32, as in PyTorch.
  OutputValues Lower(Lowering& lowering) const override {
    auto src = lowering.input(0);
    const bool integer = !IsFloating(lowering.graph().value(src).dtype);
    if (integer && dtype_ != DType::kFp64) src = lowering.Cast(src, DType::kFp32);
    return lowering.Cast(src, dtype_);
  }

  std::string Arguments(const Sizes&) const override {
    return fmt::format("dtype={}", Name(dtype_));
  }

 private:
  DType dtype_;
};

}  // namespace

std::unique_ptr<const Layer> MakeTo(AttributeReader& reader) {
  return std::make_unique<To>(reader);
}

}  // namespace lazynet::nn
